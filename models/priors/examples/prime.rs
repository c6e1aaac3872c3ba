//! scratch driver
use scicodec_priors::*;
fn main() {
    let a: Vec<String> = std::env::args().collect();
    let model = scicodec::network::Model::read(&std::fs::read(&a[1]).unwrap(), &Default::default()).unwrap();
    let mut fields = vec![];
    for (k, p) in a[3..].iter().enumerate() {
        match scicodec_io::open(std::path::Path::new(p), None) {
            Ok(d) => {
                for f in &d.fields {
                    fields.extend(variations(&*f.source, k as u64).unwrap())
                }
            }
            Err(e) => eprintln!("{p}: {e}"),
        }
    }
    eprintln!("{} fields", fields.len());
    let m = prime(&model, &fields, &BOUNDS, &|p| {
        if p.done % 200 == 0 {
            eprintln!("{}/{}", p.done, p.total)
        }
    })
    .unwrap();
    std::fs::write(&a[2], m.write()).unwrap();
}
