//! A server on loopback that does what a script says, request by request, and remembers what it was asked.

use std::collections::VecDeque;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;

/// What to do with a request.
#[derive(Clone, Debug)]
pub(crate) enum Step {
    /// Answers this status and body.
    Answer(u16, String),
    /// The same, with one more header line.
    AnswerWith(&'static str, u16, String),
    /// Ends the connection with a reset.
    Reset,
    /// Says nothing, and keeps the connection open.
    Hang,
    /// Announces more than it sends, and closes.
    CutShort,
}

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Asked {
    pub(crate) line: String,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: String,
}

impl Asked {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The access key that signed the request.
    pub(crate) fn access_key(&self) -> &str {
        let credential =
            self.header("authorization").unwrap_or_default().split("Credential=").nth(1).unwrap_or_default();
        credential.split('/').next().unwrap_or_default()
    }
}

type Choose = dyn Fn(&Asked) -> Step + Send + Sync;

/// The server. Its threads end with the test's process.
pub(crate) struct Scripted {
    pub(crate) address: SocketAddr,
    asked: Arc<Mutex<Vec<Asked>>>,
}

impl Scripted {
    /// Takes one step for each request, in order; the last one again and again.
    pub(crate) fn start(steps: impl IntoIterator<Item = Step>) -> Self {
        let steps = Mutex::new(VecDeque::from_iter(steps));
        Self::choosing(move |_| {
            let mut steps = steps.lock().unwrap();
            if steps.len() > 1 { steps.pop_front().unwrap() } else { steps[0].clone() }
        })
    }

    /// Decides by the request.
    pub(crate) fn choosing(choose: impl Fn(&Asked) -> Step + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let (address, asked) = (listener.local_addr().unwrap(), Arc::new(Mutex::new(Vec::new())));
        let (choose, log): (Arc<Choose>, _) = (Arc::new(choose), asked.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (choose, log) = (choose.clone(), log.clone());
                std::thread::spawn(move || serve(stream, &*choose, &log));
            }
        });
        Self { address, asked }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Every request so far.
    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.asked.lock().unwrap().clone()
    }
}

fn serve(stream: TcpStream, choose: &Choose, log: &Mutex<Vec<Asked>>) {
    let mut reader = BufReader::new(stream);
    while let Some(asked) = read_request(&mut reader) {
        log.lock().unwrap().push(asked.clone());
        let mut stream = reader.get_ref();
        match choose(&asked) {
            Step::Answer(status, body) => answer(stream, "x-said: yes", status, &body),
            Step::AnswerWith(header, status, body) => answer(stream, header, status, &body),
            Step::Reset => return reset(reader.into_inner()),
            Step::Hang => return wait_for_end(&mut reader),
            Step::CutShort => return drop(write!(stream, "HTTP/1.1 200 Said\r\ncontent-length: 1000\r\n\r\n<half")),
        }
    }
}

fn answer(mut stream: &TcpStream, header: &str, status: u16, body: &str) {
    let head = format!("HTTP/1.1 {status} Said\r\n{header}\r\ncontent-length: {}\r\n\r\n", body.len());
    let _ = stream.write_all((head + body).as_bytes());
}

/// Without time to linger, the kernel ends the connection with a reset.
fn reset(stream: TcpStream) {
    rustix::net::sockopt::set_socket_linger(&stream, Some(std::time::Duration::ZERO)).unwrap();
    drop(stream);
}

fn wait_for_end(reader: &mut impl Read) {
    let _ = reader.read_to_end(&mut Vec::new());
}

fn read_request(reader: &mut impl BufRead) -> Option<Asked> {
    let mut asked = Asked { line: read_line(reader)?, ..Asked::default() };
    loop {
        let line = read_line(reader)?;
        let Some((name, value)) = line.split_once(':') else { break };
        asked.headers.push((name.to_ascii_lowercase(), value.trim().to_owned()));
    }
    let length = asked.header("content-length").map_or(0, |length| length.parse().unwrap());
    let mut body = vec![0; length];
    reader.read_exact(&mut body).ok()?;
    asked.body = String::from_utf8_lossy(&body).into_owned();
    Some(asked)
}

fn read_line(reader: &mut impl BufRead) -> Option<String> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|length| *length > 0)?;
    Some(line.trim_end().to_owned())
}
