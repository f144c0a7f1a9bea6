//! How far one goal is: which objects it does not hold of yet, and no others.
//!
//! What grows here is what is not there yet, never what is. Does not know how objects are watched.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use serde_json::{Map, Value};

use super::feed::Delta;
use super::goal::{Aim, Goal, Kept, Key, Names, Seen, Sight};
use super::words::in_words;
use crate::readiness::trouble::Fate;
use crate::readiness::{Doom, Patience, Query, Related, Source, Standing, Verdict, pod};

/// How many objects are looked into one by one; where more are not ready, their surroundings are looked at as a whole.
const EXAMINED: usize = 8;

/// How far one goal is.
pub(super) struct Track {
    pub(super) goal: Goal,
    /// Whether a whole list was seen.
    complete: bool,
    known: Known,
    /// What a list that is being read has brought so far.
    incoming: Option<Known>,
    /// Since when it holds of all.
    held: Option<Duration>,
    facts: Map<String, Value>,
    /// What has changed since the last review.
    changed: BTreeSet<Key>,
    /// How far the last review found an object that is not ready; told where only one is asked for. It may take long to find, and is
    /// asked for again at once.
    latest: Option<Standing>,
}

/// The objects of a goal, as far as they have to be known.
#[derive(Default)]
struct Known {
    /// Those of which it does not hold yet.
    open: BTreeMap<Key, Subject>,
    /// Those that do not count.
    passed: BTreeSet<Key>,
    /// How many there are, those apart.
    total: usize,
    /// Names that were asked for and seen.
    found: BTreeSet<String>,
}

struct Subject {
    uid: String,
    generation: Option<i64>,
    kept: Kept,
}

/// What a goal's objects need to have looked up, and what has been.
pub(super) struct Surroundings<'a> {
    pub(super) related: &'a Related,
    pub(super) looked_up: &'a dyn Fn(&Query) -> bool,
}

/// Which objects to look at again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    /// Those that changed.
    Changed,
    /// All: something beside them changed, or time has passed.
    All,
}

/// An object that cannot come to hold.
pub(super) struct Doomed {
    pub(super) title: String,
    pub(super) standing: Standing,
    pub(super) doom: Doom,
}

impl Known {
    /// Takes an object in; gives facts for the answer.
    fn put(&mut self, seen: Seen, names: &Names) -> Map<String, Value> {
        let Seen { key, uid, generation, sight, .. } = seen;
        self.open.remove(&key);
        self.passed.remove(&key);
        if !matches!(names, Names::All) {
            self.found.insert(key.name.clone());
        }
        match sight {
            Sight::Met(facts) => return facts,
            Sight::Passed => {
                self.passed.insert(key);
            }
            Sight::Open(kept) => {
                self.open.insert(key, Subject { uid, generation, kept });
            }
        }
        Map::new()
    }

    fn remove(&mut self, seen: &Seen) {
        self.open.remove(&seen.key);
        self.passed.remove(&seen.key);
        self.found.remove(&seen.key.name);
        self.total = self.total.saturating_sub(1);
    }

    fn missing<'a>(&'a self, names: &'a Names) -> impl Iterator<Item = &'a str> {
        let asked: &[String] = match names {
            Names::One(name) => std::slice::from_ref(name),
            Names::Several(names) => names,
            Names::All => &[],
        };
        asked.iter().filter(|name| !self.found.contains(*name)).map(String::as_str)
    }
}

impl Track {
    pub(super) fn new(goal: Goal) -> Self {
        let (known, facts, changed) = (Known::default(), Map::new(), BTreeSet::new());
        Self { goal, complete: false, known, incoming: None, held: None, facts, changed, latest: None }
    }

    /// Takes in what was seen. Says whether it tells of a change, as opposed to how things were.
    pub(super) fn apply(&mut self, delta: Delta<Seen>) -> bool {
        match delta {
            Delta::Anew => self.incoming = Some(Known::default()),
            Delta::Listed(all) => all.into_iter().for_each(|seen| self.list(seen)),
            Delta::Complete => {
                if let Some(incoming) = self.incoming.take() {
                    self.known = incoming;
                }
                self.complete = true;
            }
            Delta::Added(seen) => return self.change(seen, 1),
            Delta::Modified(seen) => return self.change(seen, 0),
            Delta::Gone(seen) => {
                self.held = None;
                self.known.remove(&seen);
                return true;
            }
            Delta::Failed(_) => {}
        }
        false
    }

    fn list(&mut self, seen: Seen) {
        if self.successor(&seen) {
            return;
        }
        let target = self.incoming.as_mut().unwrap_or(&mut self.known);
        target.total += 1;
        let facts = target.put(seen, &self.goal.names);
        self.facts.extend(facts);
    }

    fn change(&mut self, seen: Seen, more: usize) -> bool {
        if self.successor(&seen) {
            self.known.open.remove(&seen.key);
            return true;
        }
        let before = self.known.open.get(&seen.key);
        if before.is_none_or(|before| before.uid != seen.uid || before.generation != seen.generation) {
            self.held = None;
        }
        self.known.total += more;
        self.changed.insert(seen.key.clone());
        self.facts.extend(self.known.put(seen, &self.goal.names));
        true
    }

    /// Where a deletion is waited for: an object that was not there at the start, perhaps of the same name.
    fn successor(&self, seen: &Seen) -> bool {
        matches!(self.goal.aim, Aim::Deleted(_))
            && self.complete
            && self.known.open.get(&seen.key).is_none_or(|before| before.uid != seen.uid)
    }

    /// What has to be looked up beside the objects of which it does not hold yet.
    pub(super) fn wants(&self, related: &Related, patience: &Patience) -> BTreeSet<Query> {
        let mut queries = BTreeSet::new();
        for subject in self.known.open.values().take(EXAMINED) {
            queries.extend(self.wants_of(subject, related, patience));
        }
        if self.known.open.len() > EXAMINED {
            return queries.iter().map(|query| self.widened(query)).collect();
        }
        queries
    }

    fn wants_of(&self, subject: &Subject, related: &Related, patience: &Patience) -> Vec<Query> {
        match &subject.kept {
            Kept::Whole(object) => self.goal.aim.wants(object, Some(related), patience),
            Kept::Pod(pod)
                if patience.waited() > crate::readiness::EVENTS_AFTER && pod::vague(std::iter::once(&**pod)) =>
            {
                vec![pod::events_in(&pod.namespace)]
            }
            _ => Vec::new(),
        }
    }

    /// The same for all objects of the goal at once.
    pub(super) fn widened(&self, query: &Query) -> Query {
        let namespace = self.goal.api.namespace().filter(|_| query.namespace.is_some()).map(str::to_owned);
        Query { source: query.source, namespace, labels: None, name: None }
    }

    /// Looks at open objects again: lets go of those of which it holds by now, and gives the first that is doomed.
    ///
    /// At all of them where something beside them changed or time has passed, else at those that changed themselves.
    pub(super) fn review(&mut self, reach: Reach, around: &Surroundings<'_>, patience: &Patience) -> Option<Doomed> {
        let changed = std::mem::take(&mut self.changed);
        let open = &self.known.open;
        let keys: Vec<&Key> = match reach {
            Reach::All => open.keys().collect(),
            Reach::Changed => changed.iter().collect(),
        };
        let mut met = Vec::new();
        let mut doomed = None;
        let mut latest = None;
        for key in keys {
            let Some(subject) = open.get(key) else { continue };
            match self.news(subject, around, patience) {
                Some(Verdict::Ready) => met.push(key.clone()),
                Some(Verdict::Doomed(standing, doom)) if doomed.is_none() => {
                    let title = self.goal.api.title(&self.goal.title_of(key));
                    doomed = Some(Doomed { title, standing, doom });
                }
                Some(Verdict::NotReady(standing)) => latest = Some(standing),
                _ => {}
            }
        }
        // Where nothing was looked at, nothing is other than it was.
        if reach == Reach::All || !changed.is_empty() {
            self.latest = latest;
        }
        for key in met {
            self.known.open.remove(&key);
        }
        doomed
    }

    /// The verdict, where it says anything that has to be acted on. Cheap for what there may be very many of.
    fn news(&self, subject: &Subject, around: &Surroundings<'_>, patience: &Patience) -> Option<Verdict> {
        let acts = match &subject.kept {
            Kept::Verdict(verdict) => matches!(verdict, Verdict::Doomed(..)),
            Kept::Pod(pod) => pod.doom(patience).is_some(),
            Kept::Whole(_) => true,
        };
        let verdict = acts.then(|| self.verdict(subject, around, patience))?;
        (verdict != Verdict::Ready || self.goal.hold.is_zero()).then_some(verdict)
    }

    fn verdict(&self, subject: &Subject, around: &Surroundings<'_>, patience: &Patience) -> Verdict {
        match &subject.kept {
            Kept::Verdict(verdict) => verdict.clone(),
            Kept::Pod(pod) => pod::verdict(pod, Some(around.related), patience),
            Kept::Whole(object) => {
                let wants = self.goal.aim.wants(object, Some(around.related), patience);
                let known = wants
                    .iter()
                    .filter(|query| query.source != Source::Events)
                    .all(|query| (around.looked_up)(query) || (around.looked_up)(&self.widened(query)));
                self.goal.aim.verdict(object, known.then_some(around.related), patience)
            }
        }
    }

    /// Whether it holds of all objects there are, and of enough.
    pub(super) fn holds(&mut self, now: Duration, around: &Surroundings<'_>, patience: &Patience) -> bool {
        let all = self.complete && self.unmet(around, patience) == 0 && self.enough();
        if !all {
            self.held = None;
            return false;
        }
        let since = *self.held.get_or_insert(now);
        now.saturating_sub(since) >= self.goal.hold
    }

    fn unmet(&self, around: &Surroundings<'_>, patience: &Patience) -> usize {
        if self.goal.hold.is_zero() {
            return self.known.open.len();
        }
        let open = self.known.open.values();
        open.filter(|subject| self.verdict(subject, around, patience) != Verdict::Ready).count()
    }

    fn enough(&self) -> bool {
        if matches!(self.goal.aim, Aim::Deleted(_)) {
            return true;
        }
        self.known.missing(&self.goal.names).next().is_none() && self.met() >= self.goal.at_least
    }

    /// Of how many it holds.
    pub(super) fn met(&self) -> usize {
        let counted = self.known.total.saturating_sub(self.known.passed.len());
        if self.goal.hold.is_zero() { counted.saturating_sub(self.known.open.len()) } else { counted }
    }

    /// Whether it did not hold when last looked at, or not for long enough yet.
    pub(super) fn is_open(&self) -> bool {
        self.held.is_none() || !self.goal.hold.is_zero()
    }

    /// Whether nothing at all is known of it yet.
    pub(super) fn is_unseen(&self) -> bool {
        !self.complete && self.incoming.as_ref().is_none_or(|incoming| incoming.total == 0)
    }

    /// Whether a whole list was seen.
    pub(super) fn is_complete(&self) -> bool {
        self.complete
    }

    /// Whether time alone can change a verdict: on a pod that nobody schedules, on a status that stays silent.
    pub(super) fn time_matters(&self) -> bool {
        !self.complete
            || self.known.open.values().any(|subject| match &subject.kept {
                Kept::Verdict(verdict) => *verdict == Verdict::Unknown,
                Kept::Pod(pod) => pod.trouble().is_some_and(|trouble| matches!(trouble.fate, Fate::Lasts(..))),
                Kept::Whole(_) => true,
            })
    }

    /// When it will have held for long enough, if nothing happens; nothing where it has already, which more time cannot change.
    pub(super) fn due(&self, now: Duration) -> Option<Duration> {
        self.held.map(|since| since + self.goal.hold).filter(|due| *due > now)
    }

    /// Whether nothing that is open can be told by any rule.
    pub(super) fn undecided(&self, around: &Surroundings<'_>, patience: &Patience) -> bool {
        let mut open = self.known.open.values().take(EXAMINED).peekable();
        self.complete
            && open.peek().is_some()
            && open.all(|subject| {
                matches!(subject.kept, Kept::Verdict(Verdict::Unknown))
                    && self.verdict(subject, around, patience) == Verdict::Unknown
            })
    }

    /// Facts for the answer.
    pub(super) fn facts(&self) -> &Map<String, Value> {
        &self.facts
    }

    /// How far it is, with at most so many reasons.
    pub(super) fn standing(&self, around: &Surroundings<'_>, patience: &Patience, most: usize) -> Standing {
        if let Names::One(_) = self.goal.names {
            return self.standing_of_one(around, patience, most);
        }
        let (met, open) = (self.met(), self.known.open.len());
        let missing: Vec<_> = self.known.missing(&self.goal.names).collect();
        let mut reasons: Vec<String> =
            missing.iter().take(most).map(|name| format!("{name}   does not exist")).collect();
        let left = most.saturating_sub(reasons.len());
        reasons.extend(
            self.known
                .open
                .iter()
                .take(left)
                .map(|(key, subject)| line(&self.goal.title_of(key), &self.verdict(subject, around, patience))),
        );
        let all = open + missing.len();
        if all > reasons.len() {
            reasons.push(format!("and {} more", all - reasons.len()));
        }
        let of = (met + all).max(self.goal.at_least);
        let progress = match self.complete {
            false => "being listed".to_owned(),
            true if matches!(self.goal.aim, Aim::Deleted(_)) => format!("{all} left"),
            true => format!("{met} of {of} {}", self.goal.aim.met()),
        };
        if self.complete && reasons.is_empty() && met < self.goal.at_least {
            reasons.push(if met == 0 { "there is none".to_owned() } else { "there are no more".to_owned() });
        }
        Standing { progress, reasons }
    }

    fn standing_of_one(&self, around: &Surroundings<'_>, patience: &Patience, most: usize) -> Standing {
        let Some((_, subject)) = self.known.open.first_key_value() else {
            let gone = self.complete && self.known.found.is_empty();
            return if gone { Goal::absent() } else { Standing::default() };
        };
        if self.held.is_some() {
            let progress = format!("{}, to stay so for {}", self.goal.aim.met(), in_words(self.goal.hold));
            return Standing { progress, reasons: Vec::new() };
        }
        let cut = |standing: &Standing| Standing {
            progress: standing.progress.clone(),
            reasons: bounded(&standing.reasons, most),
        };
        if let Some(standing) = &self.latest {
            return cut(standing);
        }
        match self.verdict(subject, around, patience) {
            Verdict::NotReady(standing) | Verdict::Doomed(standing, _) => cut(&standing),
            Verdict::Ready => Standing::default(),
            Verdict::Unknown => {
                Standing { progress: String::new(), reasons: vec!["its status says nothing yet".to_owned()] }
            }
        }
    }

    /// Names of objects of which it does not hold, at most so many, and how many there are.
    pub(super) fn open_names(&self, most: usize) -> (Vec<String>, usize) {
        let missing: Vec<String> = self.known.missing(&self.goal.names).map(str::to_owned).collect();
        let all = self.known.open.len() + missing.len();
        let open = self.known.open.keys().map(|key| self.goal.title_of(key));
        (missing.into_iter().chain(open).take(most).collect(), all)
    }
}

/// An object's line: its name, then how far it is and why not further.
fn line(title: &str, verdict: &Verdict) -> String {
    match verdict {
        Verdict::NotReady(standing) | Verdict::Doomed(standing, _) => {
            // The line of a pod begins with its name already.
            let first =
                standing.reasons.first().map(|reason| reason.strip_prefix(title).unwrap_or(reason).trim_start());
            let parts = [Some(standing.progress.as_str()).filter(|progress| !progress.is_empty()), first];
            format!("{title}   {}", parts.into_iter().flatten().collect::<Vec<_>>().join(": "))
        }
        Verdict::Ready => format!("{title}   ready"),
        Verdict::Unknown => format!("{title}   its status says nothing yet"),
    }
}

/// At most so many lines of a list, and how many are left out.
pub(super) fn bounded(lines: &[String], most: usize) -> Vec<String> {
    let more = lines.len().saturating_sub(most);
    let left = (more > 0).then(|| format!("and {more} more"));
    lines.iter().take(most).cloned().chain(left).collect()
}
