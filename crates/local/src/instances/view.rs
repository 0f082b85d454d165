//! What the metadata service of an instance asks the endpoint.

use std::sync::Arc;
use std::sync::Weak;

use jiff::Timestamp;

use crate::accounts;
use crate::catalogue::instances::Instance;
use crate::catalogue::security_groups;
use crate::catalogue::tags;
use crate::metadata::InstanceFacts;
use crate::metadata::MetadataSource;
use crate::metadata::RoleCredentials;
use crate::regions;
use crate::world::World;

/// An instance, seen from its metadata service. It does not keep the endpoint alive.
pub(super) struct InstanceView {
    world: Weak<World>,
    clock: crate::clock::Clock,
    instance: Instance,
}

impl InstanceView {
    pub(super) fn new(world: &Arc<World>, instance: &Instance) -> Self {
        Self { world: Arc::downgrade(world), clock: world.clock.clone(), instance: instance.clone() }
    }

    /// Names of the instance's security groups.
    fn list_groups(&self) -> Vec<String> {
        let Instance { scope, security_groups: ids, .. } = &self.instance;
        let Some(world) = self.world.upgrade() else { return Vec::new() };
        let named = world.catalogue.transact(|db| security_groups::list_groups(db, scope)).unwrap_or_else(|failure| {
            tracing::error!(instance = self.instance.id, "{}", failure.chain());
            Vec::new()
        });
        named.into_iter().filter(|group| ids.contains(&group.id)).map(|group| group.name).collect()
    }
}

impl MetadataSource for InstanceView {
    fn facts(&self) -> InstanceFacts {
        let Instance { scope, .. } = &self.instance;
        let zone_id = regions::list_zones(&scope.region)
            .into_iter()
            .find(|zone| zone.name == self.instance.zone)
            .map(|zone| zone.id);
        // Tags change while the instance runs; all else is settled at its launch.
        let tags = self.world.upgrade().filter(|_| self.instance.metadata_tags).map(|world| {
            let tags = world.catalogue.transact(|db| tags::list_tags(db, scope, &self.instance.id));
            tags.unwrap_or_else(|failure| {
                tracing::error!(instance = self.instance.id, "{}", failure.chain());
                Vec::new()
            })
        });
        InstanceFacts {
            instance_id: self.instance.id.clone(),
            image_id: self.instance.image.clone(),
            instance_type: self.instance.instance_type.clone(),
            account: scope.account.clone(),
            region: scope.region.clone(),
            zone: self.instance.zone.clone(),
            zone_id: zone_id.unwrap_or_default(),
            private_ip: self.instance.private_ip.clone(),
            public_ip: self.instance.has_public_ip.then(|| self.instance.private_ip.clone()),
            mac: self.instance.mac.clone(),
            architecture: self.instance.architecture.clone(),
            pending_time: self.instance.launched.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
            user_data: self.instance.user_data.clone(),
            public_key: self.instance.key_name.clone().zip(self.instance.public_key.clone()),
            security_groups: self.list_groups(),
            role: self.instance.profile.clone(),
            tokens_required: self.instance.tokens_required,
            tags,
        }
    }

    fn credentials(&self) -> Option<RoleCredentials> {
        let (world, role) = (self.world.upgrade()?, self.instance.profile.as_deref()?);
        accounts::role_keys(&world.secret, &self.instance.scope.account, role, &self.instance.id, self.now())
            .inspect_err(|failure| tracing::error!(instance = self.instance.id, "{}", failure.chain()))
            .ok()
    }

    fn now(&self) -> Timestamp {
        self.clock.now()
    }
}
