//! Every declared operation against the official model: names, places, types, both ways, to the bottom.

use ovenbird_aws::Operation;
use ovenbird_aws::ebs;
use ovenbird_aws::ec2;
use ovenbird_aws::wire::Kind;
use ovenbird_aws::wire::Member;
use ovenbird_aws::wire::Naming;
use ovenbird_aws::wire::Place;
use ovenbird_aws::wire::Protocol;
use ovenbird_aws::wire::Service;
use ovenbird_aws::wire::Shape;
use ovenbird_aws::wire::Value;
use serde_json::Value as Json;

use crate::official::Model;
use crate::operations::Visit;
use crate::operations::visit_all;

#[derive(Clone, Copy, PartialEq)]
enum Way {
    Request,
    Answer,
}

/// Compares declarations with the model of one service, and collects what differs.
struct Checker {
    model: &'static Model,
    protocol: Protocol,
    complaints: Vec<String>,
}

impl Checker {
    fn of(service: Service) -> Self {
        Self { model: Model::of(service), protocol: service.protocol(), complaints: Vec::new() }
    }

    #[expect(clippy::needless_pass_by_value, reason = "both sides are made on the spot")]
    fn expect<T: PartialEq + std::fmt::Debug>(&mut self, what: &str, declared: T, official: T) {
        if declared != official {
            self.complaints.push(format!("{what}: {declared:?} is declared, the model says {official:?}"));
        }
    }

    fn complain(&mut self, what: &str, complaint: &str) {
        self.complaints.push(format!("{what}: {complaint}"));
    }

    fn check_operation<O: Operation>(&mut self) {
        let (action, official) = (O::ACTION, self.model.operation(O::ACTION));
        if official.is_null() {
            return self.complain(action, "the model has no such operation");
        }
        self.check_service(O::SERVICE);
        self.expect(&format!("{action} method"), O::METHOD, official["http"]["method"].as_str().unwrap_or_default());
        self.expect(&format!("{action} path"), O::PATH, official["http"]["requestUri"].as_str().unwrap_or_default());
        let status = official["http"]["responseCode"].as_u64().unwrap_or(200);
        self.expect(&format!("{action} status"), u64::from(O::STATUS), status);
        self.expect(&format!("{action} request"), O::NAME, official["input"]["shape"].as_str().unwrap_or("nothing"));
        let answer = official["output"]["shape"].as_str().unwrap_or("Nothing");
        self.expect(&format!("{action} answer"), O::Answer::NAME, answer);
        if self.protocol == Protocol::Query {
            let wrapper = official["output"]["resultWrapper"].as_str().unwrap_or_default();
            self.expect(&format!("{action} wrapper"), &*format!("{action}Result"), wrapper);
        }
        // The client leaves exactly the PUT of the EBS direct APIs unsigned (client/call.rs).
        let is_unsigned = O::SERVICE == Service::Ebs && O::METHOD == "PUT";
        self.expect(&format!("{action} unsigned body"), is_unsigned, official["authtype"] == "v4-unsigned-body");
        if !official["endpoint"].is_null() {
            self.complain(action, "it has a host prefix, which nothing here writes");
        }
        self.check_token::<O>();
        self.check_structure(O::NAME, &O::members(), Way::Request, action);
        if answer != "Nothing" {
            self.check_structure(answer, &O::Answer::members(), Way::Answer, action);
        }
    }

    fn check_service(&mut self, service: Service) {
        let protocol = match service.protocol() {
            Protocol::Ec2 => "ec2",
            Protocol::Query => "query",
            Protocol::Json => "json",
            Protocol::RestJson => "rest-json",
        };
        let model = self.model;
        self.expect("protocol", protocol, model.metadata("protocol"));
        self.expect("version", service.version(), model.metadata("apiVersion"));
        self.expect("host prefix", service.name(), model.metadata("endpointPrefix"));
        self.expect("signing name", "", model.metadata("signingName"));
        self.expect("id", &*service.name().to_uppercase(), &*model.metadata("serviceId").to_uppercase());
        if service.protocol() == Protocol::Json {
            self.expect("JSON", "1.1", model.metadata("jsonVersion"));
            self.expect("target prefix", "AmazonSSM", model.metadata("targetPrefix"));
        }
    }

    /// The model's idempotency token is the member that the client fills.
    fn check_token<O: Operation>(&mut self) {
        let members = self.model.shape(O::NAME)["members"].as_object();
        let mut tokens = members.into_iter().flatten().filter(|(_, member)| member["idempotencyToken"] == true);
        let official = tokens.next().map(|(name, member)| wire_name(self.model, name, member));
        let mut request = O::default();
        if let Some(token) = request.idempotency_token() {
            *token = Some("filled".to_owned());
        }
        let node = request.to_node(Naming::Model);
        let filled = O::members().into_iter().find(|member| {
            node.clone().and_then(|mut node| node.take(member.wire)).and_then(|node| node.text()).as_deref()
                == Some("filled")
        });
        self.expect(&format!("{} idempotency token", O::ACTION), filled.map(|member| member.wire), official.as_deref());
    }

    fn check_structure(&mut self, name: &str, members: &[Member], way: Way, path: &str) {
        let shape = self.model.shape(name);
        self.check_traits(&format!("{path} {name}"), shape);
        self.expect(&format!("{path} {name}"), "structure", shape["type"].as_str().unwrap_or("nothing"));
        for (at, member) in members.iter().enumerate() {
            let path = format!("{path}.{}", member.name);
            if members[..at].iter().any(|other| other.wire == member.wire) {
                self.complain(&path, "another member has the same wire name");
            }
            match self.model.member(name, member.name) {
                None => self.complain(&path, &format!("{name} has no such member")),
                Some((official, description)) => {
                    self.check_member(member, official, description, way, &path);
                    self.check_place(member, official, description, shape, &path);
                }
            }
        }
        let required = shape["required"].as_array().into_iter().flatten().filter_map(Json::as_str);
        for official in required.filter(|_| way == Way::Request) {
            let is_declared =
                |member: &Member| self.model.member(name, member.name).is_some_and(|(name, _)| name == official);
            if !members.iter().any(is_declared) {
                self.complain(path, &format!("the required {official} is not declared"));
            }
        }
    }

    fn check_member(&mut self, member: &Member, official: &str, description: &Json, way: Way, path: &str) {
        self.check_traits(path, description);
        let name = wire_name(self.model, official, description);
        if self.protocol == Protocol::Ec2 && way == Way::Request {
            let name = description["queryName"].as_str().map_or_else(|| Naming::Capital.name(&name), str::to_owned);
            self.expect(path, Naming::Capital.name(member.wire), name);
        } else {
            self.expect(path, member.wire, &name);
        }
        if matches!(self.protocol, Protocol::Ec2 | Protocol::Query) && matches!(member.wire, "item" | "member") {
            self.complain(path, "a member of this name would be read as an item of a list");
        }
        self.check_kind(&member.kind, member, description["shape"].as_str().unwrap_or_default(), way, path);
    }

    fn check_place(&mut self, member: &Member, official: &str, description: &Json, shape: &Json, path: &str) {
        let place = match description["location"].as_str() {
            None if shape["payload"] == official => Some(Place::Payload),
            None => Some(Place::Body),
            Some("uri") => Some(Place::Uri),
            Some("querystring") => Some(Place::QueryString),
            Some("header") => Some(Place::Header),
            Some(_) => None,
        };
        self.expect(path, Some(member.place), place);
        if member.place != Place::Body && matches!(member.kind, Kind::List(_) | Kind::Structure(_)) {
            self.complain(path, "lists and structures travel in the body only");
        }
    }

    fn check_kind(&mut self, kind: &Kind, member: &Member, official: &str, way: Way, path: &str) {
        let shape = self.model.shape(official);
        self.check_traits(path, shape);
        let declared = match kind {
            Kind::String => "string",
            Kind::Integer => "integer",
            Kind::Long => "long",
            Kind::Double => "double",
            Kind::Boolean => "boolean",
            Kind::Timestamp => "timestamp",
            Kind::Blob => "blob",
            Kind::List(_) => "list",
            Kind::Structure(_) => "structure",
        };
        self.expect(path, declared, shape["type"].as_str().unwrap_or("nothing").replace("float", "double").as_str());
        match kind {
            Kind::List(item) => {
                self.check_list(shape, way, path);
                let inner = shape["member"]["shape"].as_str().unwrap_or_default();
                self.check_kind(item, member, inner, way, &format!("{path}[]"));
            }
            Kind::Structure(name) => {
                self.expect(path, name, &official);
                self.check_structure(official, &(member.members)(), way, path);
            }
            _ => {}
        }
    }

    fn check_list(&mut self, shape: &Json, way: Way, path: &str) {
        let item = shape["member"]["locationName"].as_str().unwrap_or("member");
        match (self.protocol, way) {
            (Protocol::Ec2, Way::Answer) => self.expect(path, "item", item),
            (Protocol::Query, Way::Answer) => self.expect(path, "member", item),
            (Protocol::Query, Way::Request) => self.complain(path, "nothing here writes a list as `Name.member.N`"),
            _ => {}
        }
        if !shape["flattened"].is_null() {
            self.complain(path, "the list is flattened");
        }
    }

    /// A trait that nobody has looked at may change the text on the wire.
    fn check_traits(&mut self, path: &str, description: &Json) {
        const LOOKED_AT: [&str; 24] = [
            "box",
            "deprecated",
            "deprecatedMessage",
            "deprecatedSince",
            "documentation",
            "enum",
            "error",
            "exception",
            "flattened",
            "idempotencyToken",
            "location",
            "locationName",
            "max",
            "member",
            "members",
            "min",
            "pattern",
            "payload",
            "queryName",
            "required",
            "sensitive",
            "shape",
            "streaming",
            "type",
        ];
        for name in description.as_object().into_iter().flat_map(|description| description.keys()) {
            if !LOOKED_AT.contains(&name.as_str()) {
                self.complain(path, &format!("the model has a trait here that nobody has looked at: {name}"));
            }
        }
    }
}

/// `locationName` of the member, else of its shape, else the member's own name.
fn wire_name(model: &Model, official: &str, description: &Json) -> String {
    let shape = model.shape(description["shape"].as_str().unwrap_or_default());
    let name = description["locationName"].as_str().or(shape["locationName"].as_str());
    name.unwrap_or(official).to_owned()
}

#[derive(Default)]
struct CheckAll {
    complaints: Vec<String>,
    members: usize,
}

impl Visit for CheckAll {
    fn visit<O: Operation + PartialEq>(&mut self)
    where
        O::Answer: PartialEq,
    {
        let mut checker = Checker::of(O::SERVICE);
        checker.check_operation::<O>();
        self.complaints.extend(checker.complaints);
        self.members += O::members().len() + O::Answer::members().len();
    }
}

#[test]
fn every_operation_is_as_in_the_official_model() {
    let mut all = CheckAll::default();
    visit_all(&mut all);
    assert!(all.complaints.is_empty(), "{} differences:\n{}", all.complaints.len(), all.complaints.join("\n"));
    assert!(all.members > 200, "only {} members were compared", all.members);
}

/// What the checker says of these members, declared for this structure.
fn complaints(service: Service, name: &str, members: &[Member], way: Way) -> Vec<String> {
    let mut checker = Checker::of(service);
    checker.check_structure(name, members, way, "test");
    checker.complaints
}

/// Every member of a structure made wrong in every way, one at a time: the checker must say so.
fn assert_notices_everything<T: Shape>(service: Service, way: Way) {
    assert_eq!(complaints(service, T::NAME, &T::members(), way), Vec::<String>::new());
    for at in 0..T::members().len() {
        let notices = |what: &str, spoil: &dyn Fn(&mut Member)| {
            let mut members = T::members();
            spoil(&mut members[at]);
            let wrong = format!("{} with a wrong {what}", members[at].name);
            assert!(!complaints(service, T::NAME, &members, way).is_empty(), "{}: {wrong} passed", T::NAME);
        };
        notices("name", &|member| member.name = "no_such_member");
        notices("wire name", &|member| member.wire = "NoSuchName");
        notices("place", &|member| {
            member.place = if member.place == Place::Header { Place::Body } else { Place::Header };
        });
        notices("type", &|member| {
            member.kind = if member.kind == Kind::String { Kind::Long } else { Kind::String };
        });
        notices("list", &|member| {
            member.kind = match &member.kind {
                Kind::List(item) => (**item).clone(),
                kind => Kind::List(Box::new(kind.clone())),
            };
        });
    }
}

#[test]
fn the_checker_notices_whatever_is_wrong() {
    assert_notices_everything::<ec2::RegisterImageRequest>(Service::Ec2, Way::Request);
    assert_notices_everything::<ec2::DescribeVolumesResult>(Service::Ec2, Way::Answer);
    assert_notices_everything::<ec2::Instance>(Service::Ec2, Way::Answer);
    assert_notices_everything::<ebs::PutSnapshotBlockRequest>(Service::Ebs, Way::Request);
    assert_notices_everything::<ebs::StartSnapshotResponse>(Service::Ebs, Way::Answer);
    assert_notices_everything::<ovenbird_aws::ssm::ParameterHistory>(Service::Ssm, Way::Answer);
    assert_notices_everything::<ovenbird_aws::sts::GetCallerIdentityResponse>(Service::Sts, Way::Answer);
}

#[test]
fn the_checker_looks_into_what_is_nested() {
    let mut members = ec2::DescribeImagesRequest::members();
    let filters = members.iter_mut().find(|member| member.name == "filters").unwrap();
    filters.members = || {
        let mut members = ec2::Filter::members();
        members[1].wire = "Values";
        members
    };
    let complaints = complaints(Service::Ec2, "DescribeImagesRequest", &members, Way::Request);
    assert_eq!(complaints, ["test.filters[].values: \"Values\" is declared, the model says \"Value\""]);
}

#[test]
fn the_checker_notices_what_is_missing_or_misnamed() {
    let without_id: Vec<Member> =
        ebs::CompleteSnapshotRequest::members().into_iter().filter(|member| member.name != "snapshot_id").collect();
    let missing = complaints(Service::Ebs, "CompleteSnapshotRequest", &without_id, Way::Request);
    assert_eq!(missing, ["test: the required SnapshotId is not declared"]);

    let mut members = ec2::Reservation::members();
    members.iter_mut().find(|member| member.name == "instances").unwrap().kind =
        Kind::List(Box::new(Kind::Structure("Image")));
    assert!(!complaints(Service::Ec2, "Reservation", &members, Way::Answer).is_empty());
}
