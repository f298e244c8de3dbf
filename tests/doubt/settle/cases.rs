//! Every fault, and what it comes to.

/// What a change does.
pub const KINDS: [&str; 3] = ["status", "notes", "member"];

/// How a change is protected.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Mode {
    /// Planned from live referrals: `If-Match` carries their eTags.
    Live,
    /// Planned from a snapshot without eTags: the values from before are known, and no `If-Match` is sent. A list
    /// would be replaced as a whole then, so that none is changed.
    Snapshot,
    /// Planned without looking (`--state none`): nothing is known, and no `If-Match` is sent.
    Blind,
}

/// A fault, and what it leads to: for status, notes and member, or for all three alike, as
/// `OUTCOME PATCHes+GETs STATE`. The state is `before`, `ours`, `theirs` where somebody else edited the
/// notes, or `both`.
pub struct Case {
    pub faults: &'static [&'static str],
    pub live: &'static [&'static str],
    pub snapshot: &'static [&'static str],
    pub blind: &'static [&'static str],
}

/// In doubt, and not written.
pub const fn lost(faults: &'static [&'static str]) -> Case {
    Case {
        faults,
        live: &["applied 2+1 ours"],
        snapshot: &["applied 2+1 ours"],
        blind: &["unknown 1+1 before"],
    }
}

/// In doubt, and written.
pub const fn arrived(faults: &'static [&'static str]) -> Case {
    const ONCE: &[&str] = &["applied 1+1 ours"];
    Case { faults, live: ONCE, snapshot: ONCE, blind: ONCE }
}

/// In doubt, written, and read back at the second try.
pub const fn read_again(faults: &'static [&'static str]) -> Case {
    const TWICE: &[&str] = &["applied 1+2 ours"];
    Case { faults, live: TWICE, snapshot: TWICE, blind: TWICE }
}

/// Known not to be written, for a reason that passes.
pub const fn again(faults: &'static [&'static str]) -> Case {
    const TWICE: &[&str] = &["applied 2+0 ours"];
    Case { faults, live: TWICE, snapshot: TWICE, blind: TWICE }
}

/// The service says no.
pub const fn no(faults: &'static [&'static str]) -> Case {
    const REFUSED: &[&str] = &["refused 1+0 before"];
    Case { faults, live: REFUSED, snapshot: REFUSED, blind: REFUSED }
}

pub const CASES: [Case; 36] = [
    lost(&["patch=500"]),
    arrived(&["patch=500+applied"]),
    lost(&["patch=502"]),
    lost(&["patch=html"]),
    arrived(&["patch=html+applied"]),
    lost(&["patch=hang"]),
    arrived(&["patch=hang+applied"]),
    lost(&["patch=cut"]),
    arrived(&["patch=cut+applied"]),
    lost(&["patch=503:1"]),
    arrived(&["patch=503:1+applied"]),
    lost(&["patch=503"]),
    arrived(&["patch=503+applied"]),
    lost(&["patch=504"]),
    arrived(&["patch=504+applied"]),
    again(&["patch=429:1"]),
    again(&["patch=429"]),
    again(&["patch=509"]),
    again(&["patch=423"]),
    again(&["patch=401"]),
    // The service says yes: it is looked at once more before that counts for nothing.
    Case {
        faults: &["patch=garbage"],
        live: &["applied 2+2 ours"],
        snapshot: &["applied 2+2 ours"],
        blind: &["unknown 1+5 before"],
    },
    arrived(&["patch=garbage+applied"]),
    no(&["patch=400"]),
    no(&["patch=403"]),
    no(&["patch=404"]),
    no(&["patch=422"]),
    // Somebody else writes just before us.
    Case {
        faults: &["patch=edited"],
        live: &["conflict 1+1 theirs"],
        snapshot: &["applied 1+0 both"],
        blind: &["applied 1+0 both"],
    },
    // Ours is lost, and somebody else writes before we look.
    Case {
        faults: &["patch=500", "get=edited"],
        live: &["conflict 1+5 theirs"],
        snapshot: &["applied 2+1 both", "conflict 1+5 theirs", "applied 2+1 both"],
        blind: &["unknown 1+1 theirs"],
    },
    // Ours is written, and somebody else writes before we look.
    Case {
        faults: &["patch=hang+applied", "get=edited"],
        live: &["applied 1+1 both", "conflict 1+5 theirs", "applied 1+1 both"],
        snapshot: &["applied 1+1 both", "conflict 1+5 theirs", "applied 1+1 both"],
        blind: &["applied 1+1 both", "unknown 1+1 theirs", "applied 1+1 both"],
    },
    // Reading back fails at first.
    Case {
        faults: &["patch=500+applied", "get#1-2=500"],
        live: &["applied 1+3 ours"],
        snapshot: &["applied 1+3 ours"],
        blind: &["applied 1+3 ours"],
    },
    read_again(&["patch=500+applied", "get=401"]),
    read_again(&["patch=500+applied", "get=423"]),
    read_again(&["patch=500+applied", "get=429:1"]),
    read_again(&["patch=500+applied", "get=503:1"]),
    // One trouble after another.
    Case {
        faults: &["patch#1=423", "patch#2=500", "patch#3=429:1"],
        live: &["applied 4+1 ours"],
        snapshot: &["applied 4+1 ours"],
        blind: &["unknown 2+1 before"],
    },
    Case {
        faults: &["patch#1=500", "patch#2=cut+applied"],
        live: &["applied 2+2 ours"],
        snapshot: &["applied 2+2 ours"],
        blind: &["unknown 1+1 before"],
    },
];

impl Case {
    /// Whether the first attempt is in doubt.
    pub fn is_looked_into(&self) -> bool {
        !["423", "429", "429:1", "509", "401"].iter().any(|no| self.faults[0].ends_with(&format!("={no}")))
    }

    pub fn wanted(&self, mode: Mode, kind: &str) -> String {
        let wanted = match mode {
            Mode::Live => self.live,
            Mode::Snapshot => self.snapshot,
            Mode::Blind => self.blind,
        };
        if mode == Mode::Snapshot && kind == "member" {
            return "invalid 0+0 before".to_owned();
        }
        let at = KINDS.iter().position(|known| *known == kind).unwrap();
        let wanted = wanted.get(at).unwrap_or(&wanted[0]);
        // Of two who write the notes, only the last can be seen.
        if kind == "notes" { wanted.replace("both", "ours") } else { (*wanted).to_owned() }
    }
}
