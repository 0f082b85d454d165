//! Which kernel an instance's firmware would start.

/// A shell function for the instance.
pub(super) const ESP_KERNEL: &str = include_str!("firmware.sh");

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;
    use std::path::Path;

    use ovenbird_disk::tool::Tool;

    use super::*;

    /// util-linux as it answers on an instance whose second disk, which comes first in every list, was a root of another image.
    const FINDMNT: &str = "[ \"$*\" = '--noheadings --nofsroot --output SOURCE --target /' ] && echo /dev/nvme1n1p1";
    const LSBLK: &str = r#"case "$*" in
"--inverse --raw --noheadings --output PATH,TYPE /dev/nvme1n1p1") printf '%s\n' '/dev/nvme1n1p1 part' '/dev/nvme1n1 disk' ;;
*) case "$*" in *nvme1n1) ;; *) printf '%s\n' '/dev/nvme0n1 ' '/dev/nvme0n1p15 c12a7328-f81f-11d2-ba4b-00a0c93ec93b' ;; esac
   printf '%s\n' '/dev/nvme1n1 ' '/dev/nvme1n1p1 4f68bce3-e8cd-4db1-96e7-fbcaf984b709' '/dev/nvme1n1p15 c12a7328-f81f-11d2-ba4b-00a0c93ec93b' ;;
esac"#;
    /// Partitions are folders beside the programs.
    const MOUNT: &str = r#"[ "$1 $2" = '-o ro' ] && cp -r "$(dirname "$0")/${3##*/}/." "$4""#;
    const UMOUNT: &str = r#"rm -r "$1"/*"#;

    fn put(path: &Path, text: &str) {
        fs_err::create_dir_all(path.parent().expect("a folder")).expect("made");
        fs_err::write(path, text).expect("written");
    }

    /// What the function says where the partitions hold these entries, and what it leaves mounted.
    fn told(programs: &[(&str, &str)], entries: &[(&str, &str)]) -> (String, usize) {
        let folder = tempfile::tempdir().expect("a folder");
        let (bin, esp) = (folder.path().join("bin"), folder.path().join("esp"));
        fs_err::create_dir(&esp).expect("made");
        for (name, text) in programs {
            put(&bin.join(name), &format!("#!/bin/sh\n{text}\n"));
            fs_err::set_permissions(bin.join(name), std::fs::Permissions::from_mode(0o755)).expect("allowed");
        }
        for (partition, entry) in entries {
            put(&bin.join(partition).join("loader/entries/linux.conf"), entry);
        }
        let script = format!("set -e\n{ESP_KERNEL}\nkernel=$(esp_kernel / \"$0\")\necho \"$kernel\"");
        let path = format!("{}:/usr/bin:/bin", bin.display());
        let ran = Tool::new("sh").args(["-c", &script]).arg(&esp).env("PATH", path).run().expect("it never fails");
        (ran.text().trim().to_owned(), fs_err::read_dir(esp).expect("a folder").count())
    }

    #[test]
    fn the_kernel_is_that_of_the_disk_which_holds_the_root() {
        let programs = [("findmnt", FINDMNT), ("lsblk", LSBLK), ("mount", MOUNT), ("umount", UMOUNT)];
        let other = ("nvme0n1p15", "linux /vmlinuz-other\n");
        let entry = ("nvme1n1p15", "title Linux\nlinux   /vmlinuz-6.1.0-9-cloud-amd64\noptions ro\n");
        assert_eq!(told(&programs, &[other, entry]), ("vmlinuz-6.1.0-9-cloud-amd64".to_owned(), 0));
        // Where that disk starts something else, nothing is said, and nothing of another disk.
        assert_eq!(told(&programs, &[other, ("nvme1n1p15", "title GRUB\n")]), (String::new(), 0));
        assert_eq!(told(&programs, &[other]), (String::new(), 0));
        let nothing = ["findmnt", "lsblk", "mount", "umount"].map(|name| (name, "exit 1"));
        assert_eq!(told(&nothing, &[other, entry]), (String::new(), 0));
    }

    #[test]
    fn it_may_stand_in_single_quotes() {
        assert!(!ESP_KERNEL.contains('\''));
    }
}
