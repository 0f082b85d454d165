//! The rules of Parameter Store that need many versions.

use ovenbird_aws::ssm;

use super::list::get_parameter_history;
use super::put::put_parameter;
use crate::failure::Answer;
use crate::testing::Fixture;
use crate::testing::code;

fn put(fixture: &Fixture, request: &ssm::PutParameterRequest) -> Answer<i64> {
    Ok(put_parameter(&fixture.call(), request)?.version.expect("a version"))
}

fn named(value: &str) -> ssm::PutParameterRequest {
    ssm::PutParameterRequest {
        name: Some("/a".to_owned()),
        value: Some(value.to_owned()),
        r#type: Some("String".to_owned()),
        overwrite: Some(true),
        ..Default::default()
    }
}

#[test]
fn the_newest_hundred_versions_are_kept() {
    let fixture = Fixture::new();
    for number in 1..=103 {
        assert_eq!(put(&fixture, &named(&number.to_string())).expect("put"), number);
    }
    let page = |next_token| {
        let request = ssm::GetParameterHistoryRequest { name: Some("/a".to_owned()), next_token, ..Default::default() };
        get_parameter_history(&fixture.call(), &request).expect("listed")
    };
    let first = page(None);
    let second = page(first.next_token.clone());
    let versions: Vec<i64> =
        first.parameters.iter().chain(&second.parameters).filter_map(|version| version.version).collect();
    assert_eq!(versions, (4..=103).collect::<Vec<_>>());
    assert_eq!(second.next_token, None);
}

#[test]
fn a_type_stays_what_it_was() {
    let fixture = Fixture::new();
    put(&fixture, &named("x")).expect("put");
    let other = ssm::PutParameterRequest { r#type: Some("SecureString".to_owned()), ..named("y") };
    assert_eq!(code(put(&fixture, &other)), "HierarchyTypeMismatchException");
    let same = ssm::PutParameterRequest { r#type: None, ..named("y") };
    assert_eq!(put(&fixture, &same).expect("put"), 2);
}
