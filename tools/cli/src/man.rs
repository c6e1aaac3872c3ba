//! `scicodec man [FOLDER]`.
use crate::{
    args::{Cli, ManArgs},
    failure::{Failure, Outcome, about},
    text,
};
use clap::CommandFactory;

pub fn run(args: &ManArgs) -> Outcome {
    let mut command = Cli::command();
    command.build();
    let Some(folder) = &args.folder else { return text::result(&page(command)?) };
    std::fs::create_dir_all(folder).map_err(about(folder))?;
    let verbs: Vec<_> = command.get_subcommands().cloned().collect();
    for (name, command) in verbs
        .into_iter()
        .map(|verb| (format!("scicodec-{}", verb.get_name()), verb))
        .chain([("scicodec".to_owned(), command)])
    {
        let path = folder.join(format!("{name}.1"));
        std::fs::write(&path, page(command)?).map_err(about(&path))?;
    }
    Ok(())
}

fn page(command: clap::Command) -> Outcome<String> {
    let mut out = Vec::new();
    clap_mangen::Man::new(command).render(&mut out).map_err(Failure::new)?;
    String::from_utf8(out).map_err(Failure::new)
}
