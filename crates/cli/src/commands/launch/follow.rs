//! Following an instance until it has provisioned itself.

use std::time::Duration;
use std::time::Instant;

use ovenbird_aws::ec2;
use ovenbird_aws::ec2::Tag;
use ovenbird_core::tags;

use super::Context;
use crate::account::Account;
use crate::failure::Failure;
use crate::failure::Kind;

const EVERY: Duration = Duration::from_millis(500);
/// What the agent's lines on the console begin with.
const AGENT: &str = "ovenbird: ";

/// How provisioning ended.
enum Outcome {
    Ok,
    Failed(String),
}

/// Waits for the agent's word: the instance's tag, or the console where the instance may not write tags.
pub(super) async fn until_provisioned(
    context: Context<'_>,
    account: &Account,
    id: &str,
    image: &str,
    timeout: u64,
) -> Result<(), Failure> {
    let began = Instant::now();
    let mut told = 0;
    let (instance, outcome) = loop {
        if ovenbird_disk::interrupt::requested() {
            return Err(Failure::new(Kind::Interrupted, format!("interrupted; {id} goes on by itself"))
                .hint(format!("look at it with `ovenbird status`, end it with `ovenbird terminate {id}`")));
        }
        let instance = describe(account, id).await?;
        let console = console(account, id).await?;
        let lines = said_by_the_agent(&console);
        // A line that is still being written is told when it has ended.
        let ended = lines.iter().filter(|line| line.ends_with('\n'));
        for line in ended.clone().skip(told) {
            context.output.note(&format!("{:>5.1} s  {}", began.elapsed().as_secs_f64(), line.trim_end()));
        }
        told = told.max(ended.count());
        if let Some(outcome) = outcome(&instance, &lines) {
            break (instance, outcome);
        }
        if began.elapsed() > Duration::from_secs(timeout) {
            break (instance, Outcome::Failed(format!("it did not say within {timeout} s how its provisioning ended")));
        }
        tokio::time::sleep(EVERY).await;
    };
    let address = instance.private_ip_address.clone().unwrap_or_default();
    let seconds = began.elapsed().as_secs_f64();
    match outcome {
        Outcome::Ok if context.output.is_json() => {
            context.output.data(&serde_json::json!({
                "instance": id, "image": image, "address": address, "state": "ok", "seconds": seconds,
            }));
            Ok(())
        }
        Outcome::Ok => {
            context.output.note(&format!("{id} provisioned itself in {seconds:.1} s"));
            context.output.print(&address);
            Ok(())
        }
        Outcome::Failed(sentence) => Err(Failure::new(Kind::Provisioning, format!("{id} did not provision itself: {sentence}"))
            .hint(format!("its console: aws ec2 get-console-output --instance-id {id} --output text; end it with `ovenbird terminate {id}`"))),
    }
}

async fn describe(account: &Account, id: &str) -> Result<ec2::Instance, Failure> {
    let request = ec2::DescribeInstancesRequest { instance_ids: vec![id.to_owned()], ..Default::default() };
    match account.client.send(request).await {
        // Right after the launch the instance may not be listed yet.
        Err(error) if error.is_not_found() => Ok(ec2::Instance::default()),
        answer => Ok(answer?
            .reservations
            .into_iter()
            .flat_map(|reservation| reservation.instances)
            .next()
            .unwrap_or_default()),
    }
}

async fn console(account: &Account, id: &str) -> Result<String, Failure> {
    let request = ec2::GetConsoleOutputRequest { instance_id: Some(id.to_owned()), ..Default::default() };
    let output = match account.client.send(request).await {
        Err(error) if error.refusal().is_some() => None,
        answer => answer?.output,
    };
    let bytes = output.and_then(|text| data_encoding::BASE64.decode(text.trim().as_bytes()).ok()).unwrap_or_default();
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// What follows the agent's name on its lines, with their ends.
fn said_by_the_agent(console: &str) -> Vec<&str> {
    console.split_inclusive('\n').filter_map(|line| line.split_once(AGENT)).map(|(_, said)| said).collect()
}

fn outcome(instance: &ec2::Instance, lines: &[&str]) -> Option<Outcome> {
    if let Some(word) = Tag::find(&instance.tags, tags::STATE) {
        return read(word);
    }
    let state = instance.state.as_ref().and_then(|state| state.name.as_deref()).unwrap_or_default();
    if matches!(state, "shutting-down" | "terminated" | "stopping" | "stopped") {
        let reason = instance.state_reason.as_ref().and_then(|reason| reason.message.clone()).unwrap_or_default();
        return Some(Outcome::Failed(format!("the instance is {state} ({reason})")));
    }
    lines.iter().rev().find_map(|line| word_on_console(line)).and_then(|word| read(&word))
}

/// What the tag's value says.
fn read(word: &str) -> Option<Outcome> {
    match word.strip_prefix("failed: ") {
        Some(sentence) => Some(Outcome::Failed(sentence.to_owned())),
        None => (word == "ok").then_some(Outcome::Ok),
    }
}

/// The tag's value, told by the line that ends the console's output: whichever of the two is seen first, a person reads the same.
fn word_on_console(line: &str) -> Option<String> {
    let result = line.trim_end().strip_prefix("result=")?;
    if result.starts_with("ok ") {
        return Some("ok".to_owned());
    }
    // A reason has no quotes inside. Without the last one, the line is still being written.
    let (place, reason) = result.strip_prefix("failed phase=")?.strip_suffix('"')?.split_once(" reason=\"")?;
    let phase = place.split(' ').next()?;
    Some(format!("failed: {phase}: {reason}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn console_and_tag_say_the_same() {
        let failed = r#"result=failed phase=metadata instance=i-1 reason="no `x` in {'a':1} at all""#;
        assert_eq!(word_on_console(failed).as_deref(), Some("failed: metadata: no `x` in {'a':1} at all"));
        assert_eq!(word_on_console(&format!("{failed}\r")), word_on_console(failed), "a terminal's end of line");
        assert_eq!(word_on_console("result=ok instance=i-1 seconds=12.3").as_deref(), Some("ok"));
        assert_eq!(word_on_console("mounted /data"), None);
    }

    #[test]
    fn the_agents_lines_are_picked_from_a_console() {
        let console = "[  OK  ] Started\n[    4.2] ovenbird: a file named ovenbird: odd\r\novenbird: resu";
        assert_eq!(said_by_the_agent(console), ["a file named ovenbird: odd\r\n", "resu"]);
    }

    #[test]
    fn a_line_that_is_still_being_written_says_nothing_yet() {
        let whole = r#"result=failed phase=metadata instance=i-1 reason="no `x`""#;
        let mut parts = (0..whole.len()).map(|end| &whole[..end]);
        assert!(parts.all(|part| word_on_console(part).is_none()));
    }
}
