//! Stands between a client and the endpoint, counts the requests, and spoils those that it was told to spoil.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

/// How a call is spoiled. Retries of the same call are spoiled too, so that it fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The connection is reset; the endpoint never sees the call.
    Reset,
    /// The endpoint does the call; its answer is lost.
    AnswerLost,
    /// The same, but the next try gets through.
    AnswerLostOnce,
    /// HTTP 500; the endpoint never sees the call.
    Broken,
    /// From this call on, every call is throttled.
    Throttled,
}

pub(crate) const FAULTS: [Fault; 5] =
    [Fault::Reset, Fault::AnswerLost, Fault::AnswerLostOnce, Fault::Broken, Fault::Throttled];

const NO_INSTANCES: &str = "<DescribeInstancesResponse xmlns=\"http://ec2.amazonaws.com/doc/2016-11-15/\">\
    <requestId>1</requestId><reservationSet/></DescribeInstancesResponse>";

/// Nobody panics who holds the plan.
const SOUND: &str = "a sound plan";

type Between = Box<dyn FnOnce() + Send>;

#[derive(Default)]
struct Plan {
    /// Actions so far; retries of the spoilt call are not among them.
    asked: Vec<String>,
    fault: Option<(usize, Fault)>,
    /// The body of the call that was spoilt.
    spoilt: Option<String>,
    /// Runs before the first call of this action that is at least the n-th of it.
    between: Option<(&'static str, usize, Between)>,
    /// All instances are those of services of AWS, which an account hides from who does not ask for them.
    hides_instances: bool,
}

/// What to do with a request.
enum Turn {
    Forward,
    ShowNone,
    Spoil(Fault),
}

pub(crate) struct Proxy {
    pub(crate) url: String,
    plan: Arc<Mutex<Plan>>,
}

impl Proxy {
    /// Its threads end with the test's process.
    pub(crate) fn start(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let url = format!("http://{}", listener.local_addr().expect("bound"));
        let plan = Arc::new(Mutex::new(Plan::default()));
        let (shared, upstream) = (Arc::clone(&plan), upstream.trim_start_matches("http://").to_owned());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (plan, upstream) = (Arc::clone(&shared), upstream.clone());
                std::thread::spawn(move || serve(stream, &upstream, &plan));
            }
        });
        Self { url, plan }
    }

    /// Begins to count anew, and spoils the call with this number (from 0).
    pub(crate) fn arm(&self, fault: Option<(usize, Fault)>) {
        *self.plan.lock().expect(SOUND) = Plan { fault, ..Plan::default() };
    }

    /// Begins to count anew, and lets something happen before the `nth` call (from 0) of an action.
    pub(crate) fn happen_before(&self, action: &'static str, nth: usize, between: impl FnOnce() + Send + 'static) {
        *self.plan.lock().expect(SOUND) = Plan { between: Some((action, nth, Box::new(between))), ..Plan::default() };
    }

    /// Begins to count anew, and shows instances only to who asks for managed ones.
    pub(crate) fn hide_instances(&self) {
        *self.plan.lock().expect(SOUND) = Plan { hides_instances: true, ..Plan::default() };
    }

    /// The actions that were asked for since then, retries not counted.
    pub(crate) fn actions(&self) -> Vec<String> {
        self.plan.lock().expect(SOUND).asked.clone()
    }
}

fn take_turn(plan: &Mutex<Plan>, action: &str, body: String) -> Turn {
    let mut plan = plan.lock().expect(SOUND);
    if plan.spoilt.as_ref() == Some(&body)
        && let Some((_, fault)) = plan.fault
    {
        return if fault == Fault::AnswerLostOnce { Turn::Forward } else { Turn::Spoil(fault) };
    }
    let number = plan.asked.len();
    plan.asked.push(action.to_owned());
    if plan.hides_instances && action == "DescribeInstances" && !body.contains("IncludeManagedResources=true") {
        return Turn::ShowNone;
    }
    let times = plan.asked.iter().filter(|asked| **asked == action).count();
    if plan.between.as_ref().is_some_and(|(wanted, nth, _)| *wanted == action && times > *nth)
        && let Some((_, _, between)) = plan.between.take()
    {
        drop(plan);
        between();
        return Turn::Forward;
    }
    match plan.fault {
        Some((at, fault)) if at == number || (fault == Fault::Throttled && number > at) => {
            plan.spoilt = Some(body);
            Turn::Spoil(fault)
        }
        _ => Turn::Forward,
    }
}

fn serve(stream: TcpStream, upstream: &str, plan: &Mutex<Plan>) {
    let mut reader = BufReader::new(stream);
    let Some((head, body)) = read_request(&mut reader) else { return };
    let text = String::from_utf8_lossy(&body).into_owned();
    let turn = take_turn(plan, &action_of(&head, &text), text);
    let mut stream = reader.into_inner();
    match turn {
        Turn::Forward => drop(forward(upstream, &head, &body).and_then(|answer| stream.write_all(&answer))),
        Turn::ShowNone => drop(write!(
            stream,
            "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{NO_INSTANCES}",
            NO_INSTANCES.len()
        )),
        Turn::Spoil(fault) => {
            if matches!(fault, Fault::AnswerLost | Fault::AnswerLostOnce) {
                let _ = forward(upstream, &head, &body);
            }
            spoil(stream, fault, &head);
        }
    }
}

fn spoil(mut stream: TcpStream, fault: Fault, head: &str) {
    let is_ec2 = head.to_ascii_lowercase().contains("/ec2/aws4_request");
    let (status, body) = match (fault, is_ec2) {
        (Fault::Reset | Fault::AnswerLost | Fault::AnswerLostOnce, _) => {
            // Without time to linger, the kernel ends the connection with a reset.
            rustix::net::sockopt::set_socket_linger(&stream, Some(Duration::ZERO)).expect("a socket");
            return;
        }
        (Fault::Broken, _) => (500, String::new()),
        (Fault::Throttled, true) => (503, refusal("RequestLimitExceeded")),
        (Fault::Throttled, false) => (400, r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#.to_owned()),
    };
    let length = body.len();
    let head = format!("HTTP/1.1 {status} Spoilt\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n");
    let _ = stream.write_all((head + &body).as_bytes());
}

fn refusal(code: &str) -> String {
    format!(
        "<Response><Errors><Error><Code>{code}</Code><Message>no</Message></Error></Errors><RequestID>1</RequestID></Response>"
    )
}

fn forward(upstream: &str, head: &str, body: &[u8]) -> std::io::Result<Vec<u8>> {
    let mut stream = TcpStream::connect(upstream)?;
    stream.write_all(format!("{head}connection: close\r\n\r\n").as_bytes())?;
    stream.write_all(body)?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    Ok(answer)
}

fn action_of(head: &str, body: &str) -> String {
    let target = head.lines().find_map(|line| line.strip_prefix("x-amz-target: "));
    let query = body.split('&').find_map(|pair| pair.strip_prefix("Action="));
    let name = target.and_then(|target| target.rsplit('.').next()).or(query);
    name.unwrap_or_else(|| head.lines().next().unwrap_or_default()).to_owned()
}

fn read_request(reader: &mut impl BufRead) -> Option<(String, Vec<u8>)> {
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|read| *read > 0)?;
        if line.trim_end().is_empty() {
            break;
        }
        if let Some((name, value)) = line.split_once(':')
            && name.eq_ignore_ascii_case("content-length")
        {
            length = value.trim().parse().ok()?;
        }
        head.push_str(&line);
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    Some((head, body))
}
