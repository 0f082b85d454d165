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
        let lines: Vec<&str> =
            console.lines().filter_map(|line| line.split(AGENT).nth(1).filter(|_| line.contains(AGENT))).collect();
        for line in lines.iter().skip(told) {
            context.output.note(&format!("{:>5.1} s  {}", began.elapsed().as_secs_f64(), line.trim_end()));
        }
        told = told.max(lines.len());
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

fn outcome(instance: &ec2::Instance, lines: &[&str]) -> Option<Outcome> {
    if let Some(word) = Tag::find(&instance.tags, tags::STATE) {
        return match word.strip_prefix("failed: ") {
            Some(sentence) => Some(Outcome::Failed(sentence.to_owned())),
            None => (word == "ok").then_some(Outcome::Ok),
        };
    }
    let state = instance.state.as_ref().and_then(|state| state.name.as_deref()).unwrap_or_default();
    if matches!(state, "shutting-down" | "terminated" | "stopping" | "stopped") {
        let reason = instance.state_reason.as_ref().and_then(|reason| reason.message.clone()).unwrap_or_default();
        return Some(Outcome::Failed(format!("the instance is {state} ({reason})")));
    }
    let result = lines.iter().rev().find(|line| line.starts_with("result="))?;
    if result.starts_with("result=ok") {
        return Some(Outcome::Ok);
    }
    let sentence = result.split_once("reason=").map_or(*result, |(_, reason)| reason.trim().trim_matches('"'));
    Some(Outcome::Failed(sentence.to_owned()))
}
