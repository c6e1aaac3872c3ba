//! Extension modules leave the symbols of Python open until they are loaded; some linkers must be told.
fn main() {
    pyo3_build_config::add_extension_module_link_args();
}
