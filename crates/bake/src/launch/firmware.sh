# Prints the kernel that the firmware would start of the disk that holds the root $1, where it starts systemd-boot. $2: an empty folder.
# Another disk may have an EFI system partition too; it is not what the image is made of. Double quotes alone: it is part of a quoted text.
esp_kernel() {
  root=$(findmnt --noheadings --nofsroot --output SOURCE --target "$1" 2>/dev/null) || return 0
  for disk in $(lsblk --inverse --raw --noheadings --output PATH,TYPE "$root" 2>/dev/null | sed -n "s/ disk\$//p"); do
    esp=$(lsblk --raw --noheadings --output PATH,PARTTYPE "$disk" 2>/dev/null |
      sed -n "s/ c12a7328-f81f-11d2-ba4b-00a0c93ec93b\$//p" | head -n 1)
    if [ -n "$esp" ] && mount -o ro "$esp" "$2" 2>/dev/null; then
      sed -n "s|^linux[[:space:]]*/*||p" "$2/loader/entries/linux.conf" 2>/dev/null | head -n 1
      umount "$2"
      return 0
    fi
  done
}
