//! The same work by both, in turns: a whole bake, one after a change, one after none, and a fleet.

use crate::Failure;
use crate::figure::Figure;
use crate::figure::median;
use crate::lab::Lab;
use crate::lab::Place;
use crate::lab::time;
use crate::lab::time_all;
use crate::packer;
use crate::packer::Tuning;

/// What of the service's role is changed between bakes.
const ROLE: &str = "web/roles/web/tasks/main.yml";
const TEXT: &str = "not provisioned yet";

/// The times of each round, in seconds.
#[derive(Default)]
struct Times {
    full: Vec<f64>,
    last_layer: Vec<f64>,
    nothing: Vec<f64>,
    tuned: Vec<f64>,
    installed: Vec<f64>,
}

/// One service: the example, with a name that no two bakes share.
pub(crate) fn service(place: &Place, rounds: usize) -> Result<Vec<Figure>, Failure> {
    let lab = example(place, &["--internet"])?;
    // What both fetch once and keep: Debian's packages (we), nothing (Packer).
    time(bake(&lab, &[]))?;
    let mut times = Times::default();
    for round in 1..=rounds {
        times.full.push(time(bake(&lab, &["--rebuild"]))?);
        change_role(&lab, round)?;
        times.last_layer.push(time(bake(&lab, &[]))?);
        times.nothing.push(time(bake(&lab, &[]))?);
        times.tuned.push(time(packer::build(&lab, Tuning::Tuned)?)?);
        times.installed.push(time(packer::build(&lab, Tuning::Installed)?)?);
        eprintln!("  round {round} of {rounds}");
    }
    let version = packer::version()?;
    let (tuned, installed) = (format!("{version}, tuned"), format!("{version}, as installed"));
    let mut figures = Vec::new();
    for (peer, who) in [(&times.tuned, &tuned), (&times.installed, &installed)] {
        let compare = |name: &str, ours: &[f64]| Figure::small(name, "s", median(ours), median(peer), who);
        figures.push(compare("a whole bake", &times.full));
        figures.push(compare("a bake after a change in the last layer", &times.last_layer));
        figures.push(compare("a bake after no change", &times.nothing));
    }
    Ok(figures)
}

/// A whole bake where the endpoint takes the times that EC2 is known for.
pub(crate) fn delayed(place: &Place, rounds: usize) -> Result<Vec<Figure>, Failure> {
    let lab = example(place, &["--internet", "--delays", "ec2"])?;
    time(bake(&lab, &[]))?;
    let (mut full, mut tuned, mut installed) = (Vec::new(), Vec::new(), Vec::new());
    for round in 1..=rounds {
        full.push(time(bake(&lab, &["--rebuild"]))?);
        tuned.push(time(packer::build(&lab, Tuning::Tuned)?)?);
        installed.push(time(packer::build(&lab, Tuning::Installed)?)?);
        eprintln!("  round {round} of {rounds}");
    }
    let version = packer::version()?;
    let compare = |peer: &[f64], how: &str| {
        Figure::small("a whole bake, EC2's delays", "s", median(&full), median(peer), &format!("{version}, {how}"))
    };
    Ok(vec![compare(&tuned, "tuned"), compare(&installed, "as installed")])
}

/// Ten services that share their common roles, from nothing but a base; Packer's ten builds run side by side.
pub(crate) fn fleet(place: &Place, rounds: usize) -> Result<Vec<Figure>, Failure> {
    let (mut ours, mut peer) = (Vec::new(), Vec::new());
    let who = format!("{}, tuned, all ten at a time", packer::version()?);
    for round in 1..=rounds {
        let lab = Lab::start(place, &["--internet"])?;
        lab.copy("examples/fleet")?;
        ours.push(time(lab.ovenbird(&["rebuild", "--no-pointer", "--quiet"]))?);
        packer::write_template(&lab, "service.json")?;
        let builds = services(&lab)?.into_iter().map(|service| {
            let build = packer::build_service(&lab, &service, Tuning::Tuned)?;
            Ok((build, lab.log(&service)))
        });
        // What we took is known also where the peer fails.
        match time_all(builds.collect::<Result<_, Failure>>()?) {
            Ok(seconds) => peer.push(seconds),
            Err(failure) => eprintln!("  {who}, failed in round {round}:\n{failure}"),
        }
        eprintln!("  round {round} of {rounds}");
    }
    let figure = Figure::small("ten services that share common roles", "s", median(&ours), median(&peer), &who);
    Ok(vec![figure.peer_ended_in(peer.len(), rounds)])
}

/// The names of the plays under `services/`, where their roles lie too.
fn services(lab: &Lab<'_>) -> Result<Vec<String>, Failure> {
    let mut names = Vec::new();
    for entry in fs_err::read_dir(lab.project().join("services"))? {
        let path = entry?.path();
        if path.extension().is_some_and(|extension| extension == "yml") {
            names.extend(path.file_stem().map(|stem| stem.to_string_lossy().into_owned()));
        }
    }
    names.sort();
    Ok(names)
}

fn example<'a>(place: &'a Place, arguments: &[&str]) -> Result<Lab<'a>, Failure> {
    let lab = Lab::start(place, arguments)?;
    lab.copy("examples")?;
    let template = lab.project().join("web/web.json");
    let text = fs_err::read_to_string(&template)?;
    // Two bakes within a minute would have one name.
    let fresh = text.replace(r#"web {{isotime \"2006-01-02 1504\"}}"#, "web {{uuid}}");
    if fresh == text {
        return Err("the example's ami_name is not what the benchmark expects".into());
    }
    fs_err::write(&template, fresh)?;
    packer::write_template(&lab, "web/web.json")?;
    Ok(lab)
}

fn bake(lab: &Lab<'_>, arguments: &[&str]) -> ovenbird_disk::tool::Tool {
    lab.ovenbird(&[&["bake", "web", "--no-pointer", "--quiet"], arguments].concat())
}

fn change_role(lab: &Lab<'_>, round: usize) -> Result<(), Failure> {
    let file = lab.project().join(ROLE);
    let text = fs_err::read_to_string(&file)?;
    let changed = text.replacen(TEXT, &format!("{TEXT}, {round}"), 1);
    if changed == text {
        return Err(format!("{ROLE} has no `{TEXT}` to change").into());
    }
    Ok(fs_err::write(&file, changed)?)
}
