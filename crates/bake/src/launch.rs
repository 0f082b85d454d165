//! The launch path: what is asked of EC2, and how its answers are waited for.
//!
//! What is asked is worked out by pure functions from the template and the plan; the steps that ask it are in [`crate::steps`].

mod address;
mod board;
mod candidates;
mod copy;
mod devices;
mod earlier;
mod firmware;
mod image;
mod instance;
mod leftovers;
mod network;
mod order;
mod resources;
mod sealed;
mod sealing;
mod tags;
mod template;

use ovenbird_aws::ec2;
use ovenbird_core::manifest::Blocks;

use crate::ssh::KeyPair;
use crate::ssh::Login;

pub(crate) use address::login_host;
pub(crate) use address::own_cidrs;
pub use board::Watch;
pub(crate) use candidates::Candidate;
pub(crate) use candidates::Market;
pub(crate) use candidates::candidates;
pub(crate) use candidates::is_out_of_capacity;
pub(crate) use copy::copy_image;
pub(crate) use copy::find_key;
pub(crate) use devices::image_devices;
pub(crate) use earlier::Done;
pub(crate) use earlier::can_go_on;
pub(crate) use image::create_image;
pub(crate) use image::undo_created_image;
pub(crate) use instance::find_instances;
pub(crate) use instance::terminate;
pub(crate) use instance::wait_for_state;
pub(crate) use leftovers::find_leftovers;
pub(crate) use leftovers::undo_leftovers;
pub(crate) use network::Place;
pub(crate) use network::find_place;
pub(crate) use order::Order;
pub(crate) use resources::delete_group;
pub(crate) use resources::delete_key;
pub(crate) use resources::find_group;
pub(crate) use resources::key_name;
pub(crate) use sealed::NAME as SEALED;
pub(crate) use sealed::Sealed;
pub(crate) use sealing::seal_instance;
pub(crate) use tags::run_tags;
pub(crate) use tags::tag_all;
pub(crate) use tags::volume_tags;
pub(crate) use template::refuse_unsupported;

/// What the steps of a launch have so far.
#[derive(Debug, Default)]
pub(crate) struct Launched {
    /// The key that logs in.
    pub(crate) key: Option<KeyPair>,
    /// Where the instance may be launched.
    pub(crate) place: Option<Place>,
    /// The security group of the bake's own.
    pub(crate) group: Option<String>,
    /// The instance.
    pub(crate) instance: Option<ec2::Instance>,
    /// The way into it.
    pub(crate) login: Option<Login>,
    /// The snapshot behind the image's root, and how much it holds.
    pub(crate) snapshot: Option<(String, Blocks)>,
}
