//! `scicodec h5`: what a user of the HDF5 filter has to type into other programs.
use crate::{
    args::{CdValuesArgs, H5Program, H5Verb},
    failure::{Failure, Outcome},
    text,
};
use scicodec_h5z::{FILTER_ID, Parameters};

pub fn run(verb: &H5Verb) -> Outcome {
    match verb {
        H5Verb::CdValues(args) => cd_values(args),
    }
}

fn cd_values(args: &CdValuesArgs) -> Outcome {
    let mut parameters = Parameters::new(&args.error_bound).map_err(Failure::usage)?;
    parameters.effort = args.effort.into();
    parameters.model = !args.no_model;
    parameters.fill = args.fill;
    let values = parameters.to_values();
    if args.json {
        return text::result_json(&serde_json::json!({ "filter": FILTER_ID, "cd_values": values }));
    }
    let texts: Vec<String> = values.iter().map(u32::to_string).collect();
    let list = |separator| texts.join(separator);
    let words = |program| match program {
        H5Program::H5repack => format!("UD={FILTER_ID},0,{},{}", values.len(), list(",")),
        H5Program::Nccopy => format!("{FILTER_ID},{}", list(",")),
        H5Program::H5py => format!("compression={FILTER_ID}, compression_opts=({})", list(", ")),
    };
    match args.program {
        Some(program) => text::result(&words(program)),
        None => text::result(&format!(
            "filter     {FILTER_ID}\ncd_values  {}\nh5repack   -f DATASET:{}\nnccopy     -F VARIABLE,{}\nh5py       {}\n",
            list(" "),
            words(H5Program::H5repack),
            words(H5Program::Nccopy),
            words(H5Program::H5py),
        )),
    }
}
