use ovenbird_aws::wire::Service;
use proptest::prelude::*;

use super::*;

fn call(faults: &Faults, action: &str) -> Option<Fault> {
    let (service, path) = match action {
        "PutSnapshotBlock" => (Service::Ebs, "/snapshots/snap-1/blocks/7"),
        "GetSnapshotBlock" => (Service::Ebs, "/snapshots/snap-2/blocks/7"),
        "StartSnapshot" => (Service::Ebs, "/snapshots"),
        _ => (Service::Ec2, "/"),
    };
    faults.next(service, action, path)
}

fn table(text: &str, seed: u64) -> FaultTable {
    FaultTable::parse(text, seed).expect("a table")
}

#[test]
fn rates_are_shares_and_later_entries_win() {
    let read = table("all=5%,hang=0,slow=0.5, cut", 7);
    assert_eq!(read.rates.len(), Mode::ALL.len());
    assert_eq!([Mode::Hang, Mode::Slow, Mode::Cut, Mode::Stale].map(|mode| read.rates[&mode]), [0.0, 0.5, 0.05, 0.05]);
    assert!(table("none", 0).is_empty());
    assert!(table("", 0).is_empty());
    for bad in ["slower", "slow=", "slow=6", "slow=-1%", "slow=101%", "slow=x"] {
        assert!(FaultTable::parse(bad, 0).is_err(), "{bad}");
    }
}

#[test]
fn every_mode_has_a_name_of_its_own() {
    for mode in Mode::ALL {
        assert_eq!(Mode::find(mode.name()), Some(mode));
    }
}

#[test]
fn a_late_snapshot_is_there_after_some_writes() {
    let faults = Faults::of(FaultTable { late_writes: 3, ..table("late-snapshot=100%", 1) });
    let met: Vec<bool> = (0..6).map(|_| call(&faults, "PutSnapshotBlock").is_some()).collect();
    assert_eq!(met, [true, true, true, false, false, false]);
    assert!(call(&faults, "GetSnapshotBlock").is_none());
    assert_eq!(faults.injected()[&Mode::LateSnapshot], 3);
}

#[test]
fn faults_keep_to_their_actions() {
    let faults = Faults::of(table("capacity=1,quota=1,ec2-throttle=1,throttle-snapshot=1", 1));
    let code = |action| match call(&faults, action) {
        Some(Fault::Refuse(error)) => format!("{} {}", error.status, error.code),
        other => format!("{other:?}"),
    };
    assert_eq!(code("RunInstances"), "500 InsufficientInstanceCapacity");
    assert_eq!(code("DescribeImages"), "503 RequestLimitExceeded");
    assert_eq!(code("StartSnapshot"), "402 ServiceQuotaExceededException");
    assert_eq!(code("GetSnapshotBlock"), "400 RequestThrottledException");
}

#[test]
fn a_table_can_be_changed_while_it_is_used() {
    let faults = Faults::default();
    assert_eq!(call(&faults, "DescribeImages"), None);
    faults.set(table("hang=100%", 0));
    assert_eq!(call(&faults, "DescribeImages"), Some(Fault::Hang));
    faults.set(FaultTable::default());
    assert_eq!(call(&faults, "DescribeImages"), None);
}

proptest! {
    #[test]
    fn the_same_seed_meets_the_same_calls(seed: u64, actions in proptest::collection::vec(0..4_usize, 1..200)) {
        let named = ["PutSnapshotBlock", "GetSnapshotBlock", "StartSnapshot", "DescribeImages"];
        let run = || {
            let faults = Faults::of(table("all=20%", seed));
            actions.iter().map(|action| call(&faults, named[*action])).collect::<Vec<_>>()
        };
        prop_assert_eq!(run(), run());
    }

    #[test]
    fn a_rate_is_kept(seed: u64, percent in 0..=100_u32) {
        let faults = Faults::of(table(&format!("cut={percent}%"), seed));
        let met = (0..2000).filter(|_| call(&faults, "DescribeImages").is_some()).count();
        let expected = f64::from(percent) * 20.0;
        // Six standard deviations.
        prop_assert!((met as f64 - expected).abs() <= 6.0 * 22.4, "{} of 2000 at {}%", met, percent);
    }
}
