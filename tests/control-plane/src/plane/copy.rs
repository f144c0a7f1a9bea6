//! Copying etcd's data.

use std::io::{Read as _, Seek as _, SeekFrom, Write as _};
use std::path::Path;

use crate::fault::Fault;

/// Copies a folder with all that is in it. Zeros become holes: etcd's log is allocated in advance, 64 MB at a time, and
/// mostly empty.
pub(super) fn folder(from: &Path, to: &Path) -> Result<(), Fault> {
    fs_err::create_dir_all(to)?;
    for entry in fs_err::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            folder(&entry.path(), &target)?;
        } else {
            file(&entry.path(), &target)?;
        }
    }
    Ok(())
}

fn file(from: &Path, to: &Path) -> Result<(), Fault> {
    let mut source = fs_err::File::open(from)?;
    let mut target = fs_err::File::create(to)?;
    let mut block = vec![0; 64 << 10];
    loop {
        let count = source.read(&mut block)?;
        if count == 0 {
            break;
        }
        let bytes = &block[..count];
        if bytes.iter().all(|byte| *byte == 0) {
            target.seek(SeekFrom::Current(i64::try_from(count).expect("a block is small")))?;
        } else {
            target.write_all(bytes)?;
        }
    }
    let length = source.metadata()?.len();
    Ok(target.set_len(length)?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_the_same_bytes_and_length() {
        let folder_of_test = tempfile::tempdir().unwrap();
        let (from, to) = (folder_of_test.path().join("from"), folder_of_test.path().join("to"));
        let mut bytes = vec![0; 200_000];
        bytes[70_000] = 7;
        fs_err::create_dir_all(from.join("deep")).unwrap();
        fs_err::write(from.join("deep/log"), &bytes).unwrap();
        folder(&from, &to).unwrap();
        assert_eq!(fs_err::read(to.join("deep/log")).unwrap(), bytes);
    }
}
