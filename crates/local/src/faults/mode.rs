//! The faults that there are.

use ovenbird_aws::wire::Service;

/// A fault that can be switched on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Mode {
    /// A snapshot that was just started is not there for its first writes.
    LateSnapshot,
    /// The account calls the EBS direct APIs or Parameter Store too fast.
    ThrottleAccount,
    /// A snapshot's blocks are read or written too fast.
    ThrottleSnapshot,
    /// The account calls EC2 too fast.
    Ec2Throttle,
    /// The service fails.
    ServerError,
    /// A block cannot be read just now.
    ReadFailed,
    /// A right signature is not believed.
    BadSignature,
    /// The connection stays open, and no answer comes.
    Hang,
    /// The answer comes late.
    Slow,
    /// The connection ends in the middle of the answer.
    Cut,
    /// The call has its effect, and its answer does not arrive.
    LostAnswer,
    /// A listing begins with a page without anything.
    EmptyPages,
    /// A listing comes in pages of one.
    ShortPages,
    /// A listing does not know yet what was just created.
    Stale,
    /// A block arrives with another byte than was sent.
    WrongBlock,
    /// A token of a block or a page has expired.
    ExpiredToken,
    /// The credentials expired while the bake ran.
    ExpiredCredentials,
    /// The account has too many pending snapshots.
    Quota,
    /// No machine is free for the instance.
    Capacity,
    /// A sealed snapshot ends in error.
    SnapshotError,
    /// An image that is made ends as failed.
    ImageFailed,
}

impl Mode {
    /// All of them. Where several would meet a call, the first does.
    pub const ALL: [Self; 21] = [
        Self::LateSnapshot,
        Self::Quota,
        Self::Capacity,
        Self::ExpiredCredentials,
        Self::SnapshotError,
        Self::ImageFailed,
        Self::WrongBlock,
        Self::ExpiredToken,
        Self::ReadFailed,
        Self::ThrottleSnapshot,
        Self::ThrottleAccount,
        Self::Ec2Throttle,
        Self::BadSignature,
        Self::ServerError,
        Self::Stale,
        Self::EmptyPages,
        Self::ShortPages,
        Self::LostAnswer,
        Self::Cut,
        Self::Hang,
        Self::Slow,
    ];

    /// Its name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::LateSnapshot => "late-snapshot",
            Self::ThrottleAccount => "throttle-account",
            Self::ThrottleSnapshot => "throttle-snapshot",
            Self::Ec2Throttle => "ec2-throttle",
            Self::ServerError => "server-error",
            Self::ReadFailed => "read-failed",
            Self::BadSignature => "bad-signature",
            Self::Hang => "hang",
            Self::Slow => "slow",
            Self::Cut => "cut",
            Self::LostAnswer => "lost-answer",
            Self::EmptyPages => "empty-pages",
            Self::ShortPages => "short-pages",
            Self::Stale => "stale",
            Self::WrongBlock => "wrong-block",
            Self::ExpiredToken => "expired-token",
            Self::ExpiredCredentials => "expired-credentials",
            Self::Quota => "quota",
            Self::Capacity => "capacity",
            Self::SnapshotError => "snapshot-error",
            Self::ImageFailed => "image-failed",
        }
    }

    /// The mode of this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|mode| mode.name() == name)
    }

    /// May the same call succeed when it is made again? Where not, the work that needs it fails.
    #[must_use]
    pub fn passes(self) -> bool {
        !matches!(
            self,
            Self::Quota | Self::Capacity | Self::ExpiredCredentials | Self::SnapshotError | Self::ImageFailed
        )
    }

    /// Can it happen to this action?
    pub(super) fn concerns(self, service: Service, action: &str) -> bool {
        let is_block_list = matches!(action, "ListSnapshotBlocks" | "ListChangedBlocks");
        let is_description = service == Service::Ec2 && action.starts_with("Describe");
        match self {
            Self::LateSnapshot => matches!(action, "PutSnapshotBlock" | "CompleteSnapshot"),
            Self::ThrottleAccount => matches!(service, Service::Ebs | Service::Ssm),
            Self::ThrottleSnapshot => matches!(action, "PutSnapshotBlock" | "GetSnapshotBlock"),
            Self::Ec2Throttle => service == Service::Ec2,
            Self::ReadFailed | Self::WrongBlock => action == "GetSnapshotBlock",
            Self::BadSignature => matches!(service, Service::Ebs | Service::Ssm),
            Self::EmptyPages | Self::ShortPages => is_block_list || is_description,
            Self::Stale => is_description,
            Self::ExpiredToken => is_block_list || action == "GetSnapshotBlock",
            Self::ExpiredCredentials => matches!(action, "StartSnapshot" | "RunInstances"),
            Self::Quota => action == "StartSnapshot",
            Self::Capacity => action == "RunInstances",
            Self::SnapshotError => action == "CompleteSnapshot",
            Self::ImageFailed => matches!(action, "RegisterImage" | "CopyImage" | "CreateImage"),
            Self::ServerError | Self::Hang | Self::Slow | Self::Cut | Self::LostAnswer => true,
        }
    }
}
