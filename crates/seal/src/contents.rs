//! What an image holds, read off its tree.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::ffi::OsStrExt as _;
use std::path::Path;

use ovenbird_core::contents;
use ovenbird_core::contents::Contents;
use ovenbird_core::contents::File;
use ovenbird_core::contents::Group;
use ovenbird_core::contents::User;
use ovenbird_core::contents::units;

use crate::packages::list_packages;
use crate::root::Root;
use crate::tree::Tree;

mod owners;

/// What the image whose root is mounted at `root`, with the tree `tree`, holds.
///
/// # Errors
/// When something in it cannot be read.
pub fn of(root: &Path, tree: &Tree) -> io::Result<Contents> {
    let packages = list_packages(root)?;
    let folder = Root::open(root)?;
    let files = tree.entries.iter().map(|(path, entry)| (name(path), File { entry: entry.clone(), package: None }));
    let mut files: BTreeMap<String, File> = files.collect();
    owners::assign(&folder, &packages, &mut files)?;
    let text = |path: &str| -> io::Result<String> {
        Ok(String::from_utf8_lossy(&folder.read(path)?.unwrap_or_default()).into_owned())
    };
    Ok(Contents {
        version: contents::VERSION,
        release: release(&text("etc/os-release")?),
        packages,
        units: units(&files),
        users: text("etc/passwd")?.lines().filter_map(user).collect(),
        groups: text("etc/group")?.lines().filter_map(group).collect(),
        files,
    })
}

/// The absolute path as text that can be turned back: `\xff` for a byte that is not UTF-8, `\\` for a backslash.
fn name(path: &Path) -> String {
    let mut name = "/".to_owned();
    for chunk in path.as_os_str().as_bytes().utf8_chunks() {
        name.push_str(&chunk.valid().replace('\\', "\\\\"));
        for byte in chunk.invalid() {
            name.push_str(&format!("\\x{byte:02x}"));
        }
    }
    name
}

/// os-release(5), as far as it says which distribution it is.
fn release(text: &str) -> BTreeMap<String, String> {
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    let wanted = pairs.filter(|(key, _)| ["ID", "VERSION_ID", "PRETTY_NAME"].contains(key));
    wanted.map(|(key, value)| (key.to_owned(), value.trim().trim_matches(['"', '\'']).to_owned())).collect()
}

/// A line of passwd(5). One that is damaged is no user to any program either.
fn user(line: &str) -> Option<(String, User)> {
    let [name, _, uid, gid, _, home, shell] = line.split(':').collect::<Vec<_>>().try_into().ok()?;
    let user = User { uid: uid.parse().ok()?, gid: gid.parse().ok()?, home: home.to_owned(), shell: shell.to_owned() };
    Some((name.to_owned(), user))
}

/// A line of group(5).
fn group(line: &str) -> Option<(String, Group)> {
    let [name, _, gid, members] = line.split(':').collect::<Vec<_>>().try_into().ok()?;
    let mut members: Vec<String> = members.split(',').filter(|member| !member.is_empty()).map(str::to_owned).collect();
    members.sort();
    Some((name.to_owned(), Group { gid: gid.parse().ok()?, members }))
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::fs::symlink;

    use fs_err as fs;
    use ovenbird_core::contents::UnitState;

    use super::*;

    #[test]
    fn names_are_text_and_stay_apart() {
        let named = |bytes: &[u8]| name(Path::new(OsStr::from_bytes(bytes)));
        assert_eq!(named(b""), "/");
        assert_eq!(named("etc/ä".as_bytes()), "/etc/ä");
        assert_eq!(named(b"a\xffb"), "/a\\xffb");
        assert_eq!(named(b"a\\xffb"), "/a\\\\xffb");
    }

    #[test]
    fn reads_a_tree() {
        let dir = tempfile::tempdir().expect("a folder");
        let put = |path: &str, text: &str| {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            fs::write(path, text).expect("written");
        };
        put("etc/os-release", "NAME=x\nID=debian\nVERSION_ID=\"12\"\n");
        put("etc/passwd", "root:x:0:0:root:/root:/bin/bash\nbroken\n");
        put("etc/group", "root:x:0:\nadm:x:4:zoe,ada\n");
        put(
            "var/lib/dpkg/status",
            "Package: dpkg\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1\n\n\
             Package: jq\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1.6\n",
        );
        put("var/lib/dpkg/info/jq.list", "/.\n/usr\n/bin\n/bin/jq\n/etc/jq\n/gone\n/usr/lib/jq\n/lib/jq/one.py\n");
        put("var/lib/dpkg/info/dpkg:amd64.list", "/usr\n/usr/bin/dpkg\n");
        put("var/lib/dpkg/info/jq.postinst", "");
        put("usr/lib/jq/__pycache__/one.cpython-311.pyc", "");
        put("usr/lib/jq/one.py", "");
        put("usr/bin/jq", "");
        put("usr/bin/dpkg", "");
        put("etc/jq", "");
        symlink("usr/bin", dir.path().join("bin")).expect("linked");
        fs::create_dir_all(dir.path().join("etc/systemd/system/x.wants")).expect("made");
        symlink("x", dir.path().join("etc/systemd/system/x.wants/jq.service")).expect("linked");
        let found = of(dir.path(), &Tree::scan(dir.path()).expect("a tree")).expect("read");
        assert_eq!(found.release["VERSION_ID"], "12");
        assert_eq!((found.users.len(), found.users["root"].shell.as_str()), (1, "/bin/bash"));
        assert_eq!(found.groups["adm"].members, ["ada", "zoe"]);
        assert_eq!(found.units, [("jq.service".to_owned(), UnitState::Enabled)].into());
        let owner = |path: &str| found.files[path].package.as_deref();
        assert_eq!(owner("/usr/bin/jq"), Some("jq"), "through the link /bin");
        assert_eq!(owner("/etc/jq"), Some("jq"));
        assert_eq!(owner("/usr/bin/dpkg"), Some("dpkg"));
        assert_eq!(owner("/usr"), None, "a folder of two is nobody's");
        assert_eq!(owner("/usr/lib/jq"), Some("jq"), "a folder of one");
        assert_eq!(owner("/var/lib/dpkg/info/jq.postinst"), Some("jq"));
        assert_eq!(owner("/usr/lib/jq/__pycache__/one.cpython-311.pyc"), Some("jq"));
        assert_eq!(owner("/etc/passwd"), None);
    }
}
