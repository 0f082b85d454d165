//! Block maps, EFI system partitions and imports against independent tools.
#![allow(clippy::unwrap_used, reason = "a test ends at the first surprise")]

use std::os::unix::fs::FileExt as _;
use std::time::Duration;
use std::time::UNIX_EPOCH;

use fs_err as fs;
use ovenbird_core::block::BLOCK_SIZE;
use ovenbird_disk::blocks;
use ovenbird_disk::esp::Esp;
use ovenbird_disk::gpt;
use ovenbird_disk::gpt::Guid;
use ovenbird_disk::gpt::Partition;
use ovenbird_disk::kernel;
use ovenbird_disk::kernel::Refresh;
use ovenbird_disk::qcow2;
use ovenbird_disk::tool::Tool;

const MIB: u64 = 1 << 20;

#[test]
fn a_scan_agrees_with_coreutils() {
    let dir = tempfile::tempdir().unwrap();
    let disk = dir.path().join("disk");
    let file = blocks::create_sparse(&disk, 64 * MIB).unwrap();
    // Data across a border, a block of written zeros, and a single byte in the last block.
    file.file().write_all_at(&[7; 5000], 3 * BLOCK_SIZE - 100).unwrap();
    file.file().write_all_at(&vec![0; 512 * 1024], 9 * BLOCK_SIZE).unwrap();
    file.file().write_all_at(b"z", 64 * MIB - 1).unwrap();
    let script = r#"zero=$(head -c 524288 /dev/zero | sha256sum)
        for i in $(seq 0 127); do
            sum=$(dd if="$0" bs=524288 skip=$i count=1 status=none | sha256sum)
            [ "$sum" = "$zero" ] || echo "$i ${sum%% *}"
        done"#;
    let theirs = Tool::new("sh").args(["-c", script]).arg(&disk).run().unwrap().text();
    let map = blocks::scan(&disk).unwrap();
    let ours: Vec<_> = map.blocks.iter().map(|(index, digest)| format!("{index} {digest}")).collect();
    assert_eq!(ours, theirs.lines().collect::<Vec<_>>());
    assert_eq!(map.blocks.keys().copied().collect::<Vec<_>>(), [2, 3, 127]);
}

fn make_esp(disk: &std::path::Path) -> Esp {
    let partition = Partition {
        number: 15,
        start: MIB,
        size: 40 * MIB,
        kind: Some(Guid::ESP),
        uuid: Some(Guid::from_fields(15)),
        name: "ESP".into(),
    };
    // As large as a real one: mkfs.vfat looks at the disk's size.
    blocks::create_sparse(disk, 4096 * MIB).unwrap();
    gpt::write_table(disk, Guid::from_fields(1), std::slice::from_ref(&partition)).unwrap();
    Esp::format(disk, &partition, 0x0b1d_0b1d, 1_700_000_000).unwrap()
}

#[test]
fn an_esp_holds_files_and_is_the_same_every_time() {
    let dir = tempfile::tempdir().unwrap();
    let content = vec![0xe5; 3_000_000];
    let mut maps = Vec::new();
    for name in ["one", "two"] {
        let disk = dir.path().join(name);
        make_esp(&disk);
        let esp = Esp::find(&disk, 1_700_000_000).unwrap();
        // Of another time in each run.
        fs::write(dir.path().join("content"), &content).unwrap();
        let file = fs::File::open(dir.path().join("content")).unwrap();
        file.file().set_modified(UNIX_EPOCH + Duration::from_secs(1_000_000_000 * maps.len() as u64)).unwrap();
        esp.write_file("EFI/BOOT/BOOTX64.EFI", file).unwrap();
        esp.write("EFI/BOOT/other", b"old").unwrap();
        esp.write("EFI/BOOT/other", b"new").unwrap();
        esp.write("loader/loader.conf", b"timeout 0\n").unwrap();
        assert_eq!(esp.list_files().unwrap(), ["EFI/BOOT/BOOTX64.EFI", "EFI/BOOT/other", "loader/loader.conf"]);
        assert_eq!(esp.read("EFI/BOOT/BOOTX64.EFI").unwrap(), content);
        assert_eq!(esp.read("EFI/BOOT/other").unwrap(), b"new");
        esp.remove("EFI/BOOT/other").unwrap();
        assert!(esp.read("EFI/BOOT/other").is_err());
        maps.push(blocks::scan(&disk).unwrap());
    }
    assert_eq!(maps[0], maps[1]);
}

#[test]
fn the_esp_follows_the_newest_kernel_of_the_root() {
    let dir = tempfile::tempdir().unwrap();
    let (disk, root) = (dir.path().join("disk"), dir.path().join("root"));
    let esp = make_esp(&disk);
    fs::create_dir_all(root.join("boot")).unwrap();
    fs::write(root.join("boot/vmlinuz-6.1.0-9"), "nine").unwrap();
    assert_eq!(kernel::refresh_esp(&disk, &root, 0).unwrap(), Refresh::NotOurs, "a disk that boots another way");

    let nine = kernel::find_newest_kernel(&root).unwrap().unwrap();
    kernel::put_kernel(&esp, &nine, "root=PARTUUID=1 quiet").unwrap();
    assert_eq!(kernel::has_newest_kernel(&disk, &root).unwrap(), Some(true));
    assert_eq!(kernel::refresh_esp(&disk, &root, 0).unwrap(), Refresh::Current("6.1.0-9".into()));

    fs::write(root.join("boot/vmlinuz-6.1.0-10"), "ten").unwrap();
    fs::write(root.join("boot/initrd.img-6.1.0-10"), "disk").unwrap();
    assert_eq!(kernel::has_newest_kernel(&disk, &root).unwrap(), Some(false));
    assert_eq!(kernel::refresh_esp(&disk, &root, 0).unwrap(), Refresh::Replaced("6.1.0-10".into()));
    assert_eq!(kernel::has_newest_kernel(&disk, &root).unwrap(), Some(true));
    assert_eq!(esp.list_files().unwrap(), ["initrd.img-6.1.0-10", kernel::ENTRY, "vmlinuz-6.1.0-10"]);
    let entry = String::from_utf8(esp.read(kernel::ENTRY).unwrap()).unwrap();
    assert!(
        entry.ends_with("linux /vmlinuz-6.1.0-10\ninitrd /initrd.img-6.1.0-10\noptions root=PARTUUID=1 quiet\n"),
        "{entry}"
    );

    for other in ["ten, patched", "te", "TEN"] {
        fs::write(root.join("boot/vmlinuz-6.1.0-10"), other).unwrap();
        assert_eq!(kernel::has_newest_kernel(&disk, &root).unwrap(), Some(false), "the same version as {other}");
    }
}

#[test]
fn a_qcow2_becomes_the_same_raw_disk() {
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let disk = blocks::create_sparse(&path("disk"), 8 * MIB).unwrap();
    blocks::write_block(disk.file(), 3, &vec![5; 512 * 1024]).unwrap();
    Tool::new("qemu-img").args(["convert", "-O", "qcow2"]).args([path("disk"), path("image")]).run().unwrap();
    qcow2::ensure_raw(&path("image"), &path("raw")).unwrap();
    assert_eq!(blocks::scan(&path("raw")).unwrap(), blocks::scan(&path("disk")).unwrap());

    let create = ["create", "-q", "-f", "qcow2", "-F", "raw", "-b", "disk", "child"];
    Tool::new("qemu-img").current_dir(dir.path()).args(create).run().unwrap();
    let error = qcow2::ensure_raw(&path("child"), &path("raw")).unwrap_err();
    assert!(error.to_string().contains("a backing file"), "{error}");
}
