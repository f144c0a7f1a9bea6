//! The addresses that a control plane gives to Services.
//!
//! Ranges lie inside 127.0.0.0/8, so every `ClusterIP` is an address of this very machine and a webhook can be answered by a
//! process that listens on it. Two control planes with the same range would answer each other's webhooks: whoever has a
//! range holds it by listening on its last address, which the kernel releases with the process, however that ends.
//!
//! A prepared state has its `ClusterIP`s inside, so it is prepared once for each of a few ranges, and that many control
//! planes start from states side by side, whatever process they belong to; others wait. Empty ones take any other range.

use std::net::{Ipv4Addr, SocketAddrV4, TcpListener};
use std::sync::Arc;
use std::time::{Duration, Instant};

use crate::fault::Fault;
use crate::notice::say;

/// The ranges of prepared states: 127.70.0.0/16 and on.
const OF_STATES: std::ops::RangeInclusive<u8> = 70..=79;

/// The ranges of the others.
const OF_OTHERS: std::ops::RangeInclusive<u8> = 81..=112;

const PORT: u16 = 40_077;

/// Longer than any test that starts from a state should take.
const PATIENCE: Duration = Duration::from_mins(20);

/// A range of Service addresses, held by this process until it is dropped.
#[derive(Clone, Debug)]
pub(crate) struct ServiceRange {
    second: u8,
    _held: Arc<TcpListener>,
}

impl ServiceRange {
    /// A range of prepared states: one for which `is_prepared` if possible, else any. Waits while all are held.
    pub(crate) fn of_states(is_prepared: impl Fn(u8) -> bool) -> Result<Self, Fault> {
        let begun = Instant::now();
        let mut said = false;
        loop {
            let prepared = OF_STATES.filter(|second| is_prepared(*second)).find_map(Self::take);
            if let Some(range) = prepared.or_else(|| OF_STATES.into_iter().find_map(Self::take)) {
                return Ok(range);
            }
            if !said && begun.elapsed() > Duration::from_secs(2) {
                say("waiting for another control plane that started from a prepared state");
                said = true;
            }
            if begun.elapsed() > PATIENCE {
                return Err(Fault::Timeout {
                    what: "the end of other control planes that started from prepared states".to_owned(),
                    seconds: PATIENCE.as_secs(),
                    last: "all their Service ranges are held".to_owned(),
                });
            }
            std::thread::sleep(Duration::from_millis(100));
        }
    }

    /// Any range that is free.
    pub(crate) fn free() -> Result<Self, Fault> {
        OF_OTHERS.into_iter().find_map(Self::take).ok_or_else(|| Fault::Timeout {
            what: "a free Service range".to_owned(),
            seconds: 0,
            last: "all of 127.81.0.0/16 to 127.112.0.0/16 are held".to_owned(),
        })
    }

    /// As the API server is told: `127.77.0.0/16`.
    pub(crate) fn cidr(&self) -> String {
        format!("127.{}.0.0/16", self.second)
    }

    /// What tells ranges apart.
    pub(crate) fn number(&self) -> u8 {
        self.second
    }

    /// An address that no Service gets: the allocator's own last one.
    pub(crate) fn spare_address(&self) -> Ipv4Addr {
        Ipv4Addr::new(127, self.second, 255, 254)
    }

    fn take(second: u8) -> Option<Self> {
        let last = SocketAddrV4::new(Ipv4Addr::new(127, second, 255, 254), PORT);
        TcpListener::bind(last).ok().map(|held| Self { second, _held: Arc::new(held) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_hold_the_same_range() {
        let one = ServiceRange::free().unwrap();
        let other = ServiceRange::free().unwrap();
        assert_ne!(one.cidr(), other.cidr());
    }
}
