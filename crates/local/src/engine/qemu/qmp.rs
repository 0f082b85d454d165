//! QEMU's machine protocol, as far as an instance needs it: power, and NVMe devices that come and go.

use std::io;
use std::io::BufRead as _;
use std::io::BufReader;
use std::io::Write as _;
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::Duration;

use fs_err as fs;
use serde_json::Value;
use serde_json::json;

use super::command::SOCKET;
use crate::engine::Failure;

/// QEMU answers at once, unless it is stuck.
const ANSWER: Duration = Duration::from_secs(10);

/// A conversation with a running QEMU. QEMU holds one at a time; drop it soon.
pub(super) struct Qmp {
    stream: BufReader<UnixStream>,
}

impl Qmp {
    /// Connects to the QEMU of the machine whose folder this is.
    pub(super) fn connect(folder: &Path) -> Result<Self, Failure> {
        // The way round by /proc keeps the socket's path short: 107 bytes are all that it may have.
        let folder = fs::File::open(folder)?;
        let stream = UnixStream::connect(format!("/proc/self/fd/{}/{SOCKET}", folder.as_raw_fd()))?;
        stream.set_read_timeout(Some(ANSWER))?;
        stream.set_write_timeout(Some(ANSWER))?;
        let mut qmp = Self { stream: BufReader::new(stream) };
        qmp.read()?;
        qmp.execute("qmp_capabilities", &json!({}))?;
        Ok(qmp)
    }

    /// Presses the power button.
    pub(super) fn power_down(&mut self) -> Result<(), Failure> {
        self.execute("system_powerdown", &json!({})).map(drop)
    }

    /// The devices on the hot-plug ports: port and device, for each port; the device is `None` on a free one.
    pub(super) fn list_ports(&mut self) -> Result<Vec<(String, Option<String>)>, Failure> {
        let answer = self.execute("query-pci", &json!({}))?;
        let list = |value: &Value| value.as_array().cloned().unwrap_or_default();
        let id = |device: &Value| device["qdev_id"].as_str().map(str::to_owned);
        let devices = list(&answer).iter().flat_map(|bus| list(&bus["devices"])).collect::<Vec<_>>();
        let bridges = devices.iter().filter(|device| device.get("pci_bridge").is_some());
        let port = |bridge: &Value| {
            let below = list(&bridge["pci_bridge"]["devices"]);
            Some((id(bridge)?, below.first().and_then(id)))
        };
        Ok(bridges.filter_map(port).collect())
    }

    /// Is a device with this serial in one of the ports?
    pub(super) fn has(&mut self, serial: &str) -> Result<bool, Failure> {
        Ok(self.list_ports()?.iter().any(|(_, device)| device.as_deref() == Some(serial)))
    }

    /// Plugs the raw `file` into `port` as an NVMe device with this serial, which is its id too.
    pub(super) fn add(&mut self, port: &str, serial: &str, file: &Path) -> Result<(), Failure> {
        let file = file.to_str().ok_or("the path of the volume's file is no UTF-8")?;
        self.execute("blockdev-add", &block_node(serial, file))?;
        let device = json!({"driver": "nvme", "id": serial, "drive": serial, "serial": serial, "bus": port});
        self.execute("device_add", &device).map(drop).inspect_err(|_| _ = self.forget(serial))
    }

    /// Asks the guest to let the device go; ask again until it is gone.
    pub(super) fn ask_back(&mut self, serial: &str) -> Result<(), Failure> {
        match self.execute("device_del", &json!({"id": serial})) {
            Err(error) if error.to_string().contains("in the process of unplug") => Ok(()),
            other => other.map(drop),
        }
    }

    /// Closes the file of a device that is gone, unless that was done. False where the device has left its port and is not taken apart yet: QEMU
    /// says for a moment that the node is in use.
    pub(super) fn forget(&mut self, serial: &str) -> Result<bool, Failure> {
        match self.execute("blockdev-del", &json!({"node-name": serial})) {
            Err(error) if error.to_string().contains("Failed to find node") => Ok(true),
            Err(error) if error.to_string().contains("is in use") => Ok(false),
            other => other.map(|_| true),
        }
    }

    fn execute(&mut self, command: &str, arguments: &Value) -> Result<Value, Failure> {
        let request = json!({"execute": command, "arguments": arguments});
        self.stream.get_mut().write_all(format!("{request}\n").as_bytes())?;
        loop {
            let mut answer = self.read()?;
            if let Some(error) = answer.get("error") {
                return Err(format!("QEMU refuses {command}: {}", error["desc"].as_str().unwrap_or("no reason")).into());
            }
            if let Some(value) = answer.get_mut("return") {
                return Ok(value.take());
            }
            // Anything else is an event.
        }
    }

    fn read(&mut self) -> Result<Value, Failure> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "QEMU hung up").into());
        }
        Ok(serde_json::from_str(&line)?)
    }
}

/// Did QEMU end the conversation, or end?
pub(super) fn is_hung_up(error: &Failure) -> bool {
    use io::ErrorKind::{BrokenPipe, ConnectionReset, UnexpectedEof};
    let kind = error.downcast_ref::<io::Error>().map(io::Error::kind);
    kind.is_some_and(|kind| [BrokenPipe, ConnectionReset, UnexpectedEof].contains(&kind))
}

/// A raw file as QEMU's block node; what the guest trims becomes a hole.
pub(super) fn block_node(name: &str, file: &str) -> Value {
    json!({
        "driver": "raw",
        "node-name": name,
        "discard": "unmap",
        "detect-zeroes": "unmap",
        "file": {"driver": "file", "filename": file, "discard": "unmap"},
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A QEMU that hangs up after its greeting `hang_ups` times, and answers everything with an empty answer from then on.
    fn play_qemu(folder: &Path, hang_ups: usize) -> std::thread::JoinHandle<()> {
        let listener = std::os::unix::net::UnixListener::bind(folder.join(SOCKET)).expect("bound");
        std::thread::spawn(move || {
            for (index, stream) in listener.incoming().take(hang_ups + 1).enumerate() {
                let mut stream = stream.expect("a caller");
                stream.write_all(b"{\"QMP\": {}}\n").expect("greeted");
                let lines = BufReader::new(stream.try_clone().expect("a second handle")).lines();
                for _ in lines.take(if index < hang_ups { 1 } else { 2 }).filter(|_| index == hang_ups) {
                    stream.write_all(b"{\"return\": []}\n").expect("answered");
                }
            }
        })
    }

    #[test]
    fn a_node_is_forgotten_when_its_device_is_taken_apart() {
        let folder = tempfile::tempdir().expect("a folder");
        let listener = std::os::unix::net::UnixListener::bind(folder.path().join(SOCKET)).expect("bound");
        let refusal = |desc: &str| json!({"error": {"desc": desc}});
        let answers = [
            json!({"QMP": {}}),
            json!({"return": {}}),
            refusal("Node vol0aa is in use"),
            json!({"return": {}}),
            refusal("Failed to find node with node-name='vol0aa'"),
            refusal("no such command"),
        ];
        let qemu = std::thread::spawn(move || {
            let (mut stream, _) = listener.accept().expect("a caller");
            let mut lines = BufReader::new(stream.try_clone().expect("a second handle")).lines();
            for (index, answer) in answers.iter().enumerate() {
                if index > 0 {
                    lines.next().expect("a command").expect("read");
                }
                stream.write_all(format!("{answer}\n").as_bytes()).expect("answered");
            }
        });
        let mut qmp = Qmp::connect(folder.path()).expect("connected");
        let forgotten: Vec<bool> = (0..3).map(|_| qmp.forget("vol0aa").expect("no other refusal")).collect();
        assert_eq!(forgotten, [false, true, true]);
        assert!(qmp.forget("vol0aa").is_err());
        qemu.join().expect("played");
    }

    #[test]
    fn a_conversation_that_broke_is_told_from_a_refusal() {
        let folder = tempfile::tempdir().expect("a folder");
        let qemu = play_qemu(folder.path(), 1);
        let broken = Qmp::connect(folder.path()).err().expect("hung up");
        assert!(is_hung_up(&broken), "{broken}");
        let mut qmp = Qmp::connect(folder.path()).expect("connected");
        assert!(!qmp.has("vol0aa").expect("answered"));
        drop(qmp);
        qemu.join().expect("played");
        assert!(!is_hung_up(&"QEMU refuses device_add: no such port".into()));
    }
}
