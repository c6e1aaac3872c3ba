//! Networks, training, fine-tuning and export for scicodec: the only crate that may name `burn`. Empty until the learned base arrives.
