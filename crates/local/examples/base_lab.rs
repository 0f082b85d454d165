fn main() {
    let t = std::time::Instant::now();
    let cache = std::env::args().nth(1).unwrap();
    let b = ovenbird_local::base::build(&ovenbird_local::base::BasePlan::debian_12(), std::path::Path::new(&cache), &mut |p| println!("{:6.2} {p:?}", t.elapsed().as_secs_f64()));
    println!("{:6.2} done", t.elapsed().as_secs_f64());
    let b = match b { Ok(b) => b, Err(e) => { println!("{e}"); std::process::exit(1) } };
    let m = ovenbird_disk::blocks::scan(&b.disk).unwrap();
    println!("{:6.2} scanned {} blocks; {} packages; epoch {} kernel {} {:?}", t.elapsed().as_secs_f64(), m.blocks.len(), b.packages.len(), b.epoch, b.kernel, b.disk);
}
