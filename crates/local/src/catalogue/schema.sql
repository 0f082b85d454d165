-- The catalogue. Forward only: a new version is a new section at the end, and no section that was ever released changes.
-- Times are milliseconds since 1970. Sizes of volumes are GiB, as the API has them.

-- v1
CREATE TABLE images (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT,
  architecture TEXT NOT NULL,
  virtualization_type TEXT NOT NULL,
  root_device TEXT,
  boot_mode TEXT,
  tpm_support TEXT,
  imds_support TEXT,
  sriov TEXT,
  ena INTEGER NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'available')),
  available_at INTEGER NOT NULL,
  created INTEGER NOT NULL,
  source_image TEXT,
  source_region TEXT,
  public INTEGER NOT NULL DEFAULT 0,
  devices TEXT NOT NULL,
  UNIQUE (account, region, name)
) STRICT;

CREATE TABLE image_shares (
  image TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
  account TEXT NOT NULL,
  PRIMARY KEY (image, account)
) STRICT, WITHOUT ROWID;

-- Which snapshots an image holds, so that none of them can be deleted under it.
CREATE TABLE image_snapshots (
  image TEXT NOT NULL REFERENCES images (id) ON DELETE CASCADE,
  snapshot TEXT NOT NULL,
  PRIMARY KEY (image, snapshot)
) STRICT, WITHOUT ROWID;
CREATE INDEX image_snapshots_by_snapshot ON image_snapshots (snapshot);

-- `map` holds 36 bytes per block in index order: the index (big endian), its SHA-256. While the snapshot is pending it is
-- the parent's map, so that the parent may be deleted meanwhile.
CREATE TABLE snapshots (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  state TEXT NOT NULL CHECK (state IN ('pending', 'completed', 'error')),
  volume_size INTEGER NOT NULL,
  parent TEXT,
  lineage TEXT NOT NULL,
  description TEXT,
  started INTEGER NOT NULL,
  timeout_ms INTEGER NOT NULL,
  last_put INTEGER NOT NULL,
  progress INTEGER NOT NULL DEFAULT 0,
  changed_blocks INTEGER,
  completes_at INTEGER,
  map BLOB NOT NULL
) STRICT;
CREATE INDEX snapshots_pending ON snapshots (state) WHERE state = 'pending';

-- Blocks put into pending snapshots.
CREATE TABLE puts (
  snapshot TEXT NOT NULL,
  block INTEGER NOT NULL,
  digest BLOB NOT NULL,
  PRIMARY KEY (snapshot, block)
) STRICT, WITHOUT ROWID;

-- How many puts and map entries name a block. Zero: its file may be removed.
CREATE TABLE blocks (
  digest BLOB NOT NULL PRIMARY KEY,
  refs INTEGER NOT NULL CHECK (refs >= 0)
) STRICT, WITHOUT ROWID;
CREATE INDEX blocks_unreferenced ON blocks (digest) WHERE refs = 0;

CREATE TABLE volumes (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  zone TEXT NOT NULL,
  size INTEGER NOT NULL,
  snapshot TEXT,
  kind TEXT NOT NULL,
  iops INTEGER,
  throughput INTEGER,
  state TEXT NOT NULL CHECK (state IN ('creating', 'available', 'in-use', 'deleting', 'error')),
  created INTEGER NOT NULL,
  instance TEXT,
  device TEXT,
  attachment TEXT CHECK (attachment IN ('attaching', 'attached', 'detaching', 'busy')),
  attached_at INTEGER,
  delete_on_termination INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX volumes_by_instance ON volumes (instance) WHERE instance IS NOT NULL;

CREATE TABLE instances (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  zone TEXT NOT NULL,
  reservation TEXT NOT NULL,
  launch_index INTEGER NOT NULL,
  image TEXT NOT NULL,
  instance_type TEXT NOT NULL,
  architecture TEXT NOT NULL,
  boot_mode TEXT,
  state TEXT NOT NULL CHECK (state IN ('pending', 'running', 'shutting-down', 'terminated', 'stopping', 'stopped')),
  reason_code TEXT,
  reason TEXT,
  launched INTEGER NOT NULL,
  ended INTEGER,
  root_device TEXT NOT NULL,
  private_ip TEXT NOT NULL,
  mac TEXT NOT NULL,
  user_data BLOB,
  key_name TEXT,
  profile TEXT,
  tokens_required INTEGER NOT NULL,
  hop_limit INTEGER NOT NULL,
  metadata_tags INTEGER NOT NULL,
  shutdown_behavior TEXT NOT NULL CHECK (shutdown_behavior IN ('stop', 'terminate')),
  client_token TEXT
) STRICT;
CREATE INDEX instances_alive ON instances (state) WHERE state <> 'terminated';

CREATE TABLE tags (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  resource TEXT NOT NULL,
  key TEXT NOT NULL,
  value TEXT NOT NULL,
  PRIMARY KEY (account, region, resource, key)
) STRICT, WITHOUT ROWID;
CREATE INDEX tags_by_resource ON tags (resource);

CREATE TABLE parameters (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  name TEXT NOT NULL,
  version INTEGER NOT NULL,
  kind TEXT NOT NULL,
  value TEXT NOT NULL,
  data_type TEXT NOT NULL,
  description TEXT,
  tier TEXT NOT NULL,
  allowed_pattern TEXT,
  modified INTEGER NOT NULL,
  modified_by TEXT NOT NULL,
  PRIMARY KEY (account, region, name, version)
) STRICT, WITHOUT ROWID;

-- Client tokens: the same token with the same request gives what the first call made.
CREATE TABLE tokens (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  action TEXT NOT NULL,
  token TEXT NOT NULL,
  request TEXT NOT NULL,
  made TEXT NOT NULL,
  at INTEGER NOT NULL,
  PRIMARY KEY (account, region, action, token)
) STRICT, WITHOUT ROWID;

-- v2
CREATE TABLE key_pairs (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  name TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('rsa', 'ed25519')),
  public_key TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  created INTEGER NOT NULL,
  UNIQUE (account, region, name)
) STRICT;

CREATE TABLE security_groups (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  name TEXT NOT NULL,
  description TEXT NOT NULL,
  UNIQUE (account, region, name)
) STRICT;

-- A rule is one source: `source_kind` says of what kind, `source` is the range or the id. Ports are -1 where all fit.
CREATE TABLE security_group_rules (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  security_group TEXT NOT NULL REFERENCES security_groups (id) ON DELETE CASCADE,
  protocol TEXT NOT NULL,
  from_port INTEGER NOT NULL,
  to_port INTEGER NOT NULL,
  source_kind TEXT NOT NULL CHECK (source_kind IN ('ipv4', 'ipv6', 'prefix-list', 'group')),
  source TEXT NOT NULL,
  description TEXT,
  UNIQUE (security_group, protocol, from_port, to_port, source_kind, source)
) STRICT;

-- `contents` is the form of the CreateLaunchTemplate request.
CREATE TABLE launch_templates (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  name TEXT NOT NULL,
  created INTEGER NOT NULL,
  contents BLOB NOT NULL,
  UNIQUE (account, region, name)
) STRICT;

-- `security_groups` holds ids with a space between; `public_key` is the key pair's, as it was at the launch.
ALTER TABLE instances ADD COLUMN public_key TEXT;
ALTER TABLE instances ADD COLUMN security_groups TEXT NOT NULL DEFAULT '';
ALTER TABLE instances ADD COLUMN is_spot INTEGER NOT NULL DEFAULT 0;
ALTER TABLE instances ADD COLUMN has_public_ip INTEGER NOT NULL DEFAULT 1;
ALTER TABLE instances ADD COLUMN termination_protected INTEGER NOT NULL DEFAULT 0;
ALTER TABLE instances ADD COLUMN stop_protected INTEGER NOT NULL DEFAULT 0;

ALTER TABLE images ADD COLUMN source_instance TEXT;
ALTER TABLE images ADD COLUMN deprecate_at INTEGER;
ALTER TABLE images ADD COLUMN is_protected INTEGER NOT NULL DEFAULT 0;
-- Why making it failed; the image is `failed` then, whatever `state` says.
ALTER TABLE images ADD COLUMN failure TEXT;

ALTER TABLE snapshots ADD COLUMN volume TEXT;
ALTER TABLE snapshots ADD COLUMN public INTEGER NOT NULL DEFAULT 0;
CREATE TABLE snapshot_shares (
  snapshot TEXT NOT NULL REFERENCES snapshots (id) ON DELETE CASCADE,
  account TEXT NOT NULL,
  PRIMARY KEY (snapshot, account)
) STRICT, WITHOUT ROWID;

-- v3
-- `kms_key` is the ARN of the key that a volume or snapshot says it is encrypted with; null for one that is not.
ALTER TABLE snapshots ADD COLUMN kms_key TEXT;
ALTER TABLE volumes ADD COLUMN kms_key TEXT;
-- What an account said of its new volumes and snapshots in a region. `kms_key` is null for the key that AWS manages.
CREATE TABLE encryption_defaults (
  account TEXT NOT NULL,
  region TEXT NOT NULL,
  is_on INTEGER NOT NULL DEFAULT 0,
  kms_key TEXT,
  PRIMARY KEY (account, region)
) STRICT, WITHOUT ROWID;

-- What EC2 bills for the software in an image (EC2 user guide, "AMI billing information fields").
ALTER TABLE images ADD COLUMN platform_details TEXT NOT NULL DEFAULT 'Linux/UNIX';
ALTER TABLE images ADD COLUMN usage_operation TEXT NOT NULL DEFAULT 'RunInstances';

-- v4
ALTER TABLE instances ADD COLUMN platform_details TEXT NOT NULL DEFAULT 'Linux/UNIX';
ALTER TABLE instances ADD COLUMN usage_operation TEXT NOT NULL DEFAULT 'RunInstances';
