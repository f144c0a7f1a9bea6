//! What controllers remember beside the objects: since when a pod stands where it stands, to the millisecond, and which
//! addresses have been given out.
//!
//! Objects say moments in whole seconds only. What is forgotten here is begun anew: a pod then takes its time once more.

use std::{
    collections::HashMap,
    sync::{Mutex, PoisonError},
};

use jiff::Timestamp;

/// The memory of one cluster's controllers.
#[derive(Debug, Default)]
pub(crate) struct Diary {
    inner: Mutex<Inner>,
}

#[derive(Debug, Default)]
struct Inner {
    stages: HashMap<Box<str>, (u8, Timestamp)>,
    addresses: u32,
}

impl Diary {
    /// Since when an object is in a stage; since now, where it was in another or in none.
    pub(super) fn since(&self, uid: &str, stage: u8, now: Timestamp) -> Timestamp {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        match inner.stages.get_mut(uid) {
            Some((known, since)) if *known == stage => *since,
            Some(place) => {
                *place = (stage, now);
                now
            }
            None => {
                inner.stages.insert(uid.into(), (stage, now));
                now
            }
        }
    }

    /// Forgets an object.
    pub(super) fn forget(&self, uid: &str) {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner).stages.remove(uid);
    }

    /// The next address for a pod, out of four millions.
    pub(super) fn address(&self) -> String {
        let mut inner = self.inner.lock().unwrap_or_else(PoisonError::into_inner);
        inner.addresses = inner.addresses % 0x3f_fffe + 1;
        let number = inner.addresses;
        format!("10.{}.{}.{}", 64 + (number >> 16), number >> 8 & 0xff, number & 0xff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stage_is_counted_from_its_first_sight() {
        let diary = Diary::default();
        let at = |millisecond| Timestamp::from_millisecond(millisecond).unwrap();
        assert_eq!(diary.since("a", 1, at(5)), at(5));
        assert_eq!(diary.since("a", 1, at(9)), at(5));
        assert_eq!(diary.since("a", 2, at(9)), at(9));
        diary.forget("a");
        assert_eq!(diary.since("a", 2, at(11)), at(11));
        assert_eq!((diary.address(), diary.address()), ("10.64.0.1".to_owned(), "10.64.0.2".to_owned()));
    }
}
