//! The end of a quarter at a fictional partner: two files, a plan that a second person approves, a service on its
//! worst day, and rows of every outcome.

use std::path::PathBuf;
use std::rc::Rc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

use crate::support::place::Place;
use crate::support::program::{Ended, program};
use crate::support::random::Random;
use crate::support::referrals::referral;
use crate::support::run_dir::Run;
use crate::support::sandbox::Sandbox;

/// Where the run is.
pub const RUN: &str = "reports/fy27-q2";
const FILES: [&str; 2] = ["fy27-q2-closing.csv", "late-additions.csv"];
const SENDER: &str = "mara.lindqvist@partner.example.com";
pub const APPROVER: &str = "Tomás Okafor";

const COLUMNS: [&str; 10] = [
    "id",
    "eTag",
    "status",
    "substatus",
    "statusReason",
    "dealValue",
    "closingDateTime",
    "salesStage",
    "details.notes",
    "team.add",
];

const DEALS: [&str; 12] = [
    "Data platform",
    "Device refresh",
    "Modern workplace",
    "Security baseline",
    "ERP move",
    "Meeting rooms",
    "Backup renewal",
    "Intranet",
    "Identity clean-up",
    "Warehouse analytics",
    "Service desk",
    "Field app",
];
const NAMES: [&str; 12] = [
    "Harbour Lane",
    "Blue Kite",
    "Alder & Finch",
    "Juniper Hill",
    "Stonebridge",
    "Larkspur",
    "Oakmere",
    "Lindenau",
    "Søndergård",
    "Zürihof",
    "Château Vey",
    "Peñalba",
];
const TRADES: [&str; 8] =
    ["Foods", "Logistics", "Clinics", "Robotics", "Housing", "Textiles", "Energy", "Opticians"];
const CURRENCIES: [&str; 7] = ["EUR", "EUR", "EUR", "USD", "USD", "GBP", "SEK"];

type Stage = (&'static str, &'static str);
const ACTIVE: Stage = ("Active", "Accepted");
const NEW: Stage = ("New", "Received");
const WON: Stage = ("Closed", "Won");

/// What rows want, and what becomes of them. `{value}` is a deal's value; `{at}`, the one before.
struct Fate {
    /// How many such referrals there are; of those that go well, times the size.
    count: usize,
    goes_well: bool,
    stands: Stage,
    rows: &'static [&'static [(&'static str, &'static str)]],
    faults: &'static [&'static str],
    /// Whether there is such a referral at all.
    is_there: bool,
}

const WELL: Fate = Fate { count: 1, goes_well: true, stands: ACTIVE, rows: &[], faults: &[], is_there: true };
const BADLY: Fate = Fate { goes_well: false, ..WELL };

const FATES: [Fate; 27] = [
    Fate { count: 6, rows: &[&[("substatus", "Won"), ("dealValue", "{value}")]], ..WELL },
    Fate { count: 2, rows: &[&[("substatus", "Won"), ("salesStage", "Close")]], ..WELL },
    Fate { count: 4, rows: &[&[("substatus", "Lost"), ("statusReason", "Chose another vendor")]], ..WELL },
    Fate { count: 4, rows: &[&[("substatus", "Lost"), ("statusReason", "Budget cut")]], ..WELL },
    Fate { rows: &[&[("substatus", "Lost")]], ..WELL },
    Fate {
        count: 2,
        stands: NEW,
        rows: &[&[
            ("substatus", "Declined"),
            ("statusReason", "Not our region, passed on to a partner there"),
        ]],
        ..WELL
    },
    Fate { count: 2, rows: &[&[("dealValue", "{value}")]], ..WELL },
    Fate { rows: &[&[("closingDateTime", "2031-03-31T00:00:00Z")]], ..WELL },
    Fate { stands: NEW, rows: &[&[("status", "Active")]], ..WELL },
    Fate { rows: &[&[("details.notes", "Waiting for the signed order, =SUM(A1:A9) of the offer")]], ..WELL },
    Fate { rows: &[&[("team.add", "Kim, Park, +49 30 555 0142, kim.park@partner.example.com")]], ..WELL },
    Fate { count: 2, rows: &[&[("status", "Active"), ("dealValue", "{at}")]], ..WELL },
    Fate {
        count: 2,
        rows: &[&[("substatus", "Lost"), ("statusReason", "Budget cut")]],
        faults: &["patch=edited"],
        ..BADLY
    },
    Fate {
        rows: &[&[("dealValue", "{value}"), ("details.notes", "Offer 2 sent")]],
        faults: &["patch=edited"],
        ..BADLY
    },
    Fate { rows: &[&[("eTag", "\"older\""), ("dealValue", "{value}")]], ..BADLY },
    Fate { count: 2, rows: &[&[("dealValue", "12,500 or so")]], ..BADLY },
    Fate { rows: &[&[("status", "Closed"), ("substatus", "Accepted")]], ..BADLY },
    Fate { count: 2, stands: WON, rows: &[&[("status", "Active")]], ..BADLY },
    Fate { rows: &[&[("dealValue", "1000")], &[("dealValue", "2000")]], ..BADLY },
    Fate { rows: &[&[("id", "CRM-20931"), ("substatus", "Won")]], ..BADLY },
    Fate { count: 2, rows: &[&[("substatus", "Won")]], faults: &["patch=403"], ..BADLY },
    Fate { rows: &[&[("substatus", "Lost"), ("statusReason", "No response")]], is_there: false, ..BADLY },
    Fate { rows: &[&[("salesStage", "Propose")]], faults: &["patch#1-5=423"], ..BADLY },
    Fate {
        count: 2,
        rows: &[&[("substatus", "Lost"), ("statusReason", "Postponed to the next year")]],
        faults: &["patch=ignores:/statusReason"],
        ..BADLY
    },
    Fate {
        rows: &[&[("dealValue", "{value}"), ("details.notes", "Offer sent")]],
        faults: &["patch=ignores:/details/notes"],
        ..BADLY
    },
    Fate { rows: &[&[("substatus", "Won")]], faults: &["patch=504", "get#*=garbage"], ..BADLY },
    Fate {
        rows: &[&[("details.notes", "Called on Monday")]],
        faults: &["patch=cut+applied", "get#*=503"],
        ..BADLY
    },
];

/// A quarter's end at work.
pub struct QuarterEnd {
    pub place: Rc<Place>,
    service: Sandbox,
}

impl QuarterEnd {
    /// Lays down the files and starts the service. `size` is by how much more goes well than goes wrong; the faults are
    /// those of the service as a whole.
    pub fn begin(size: usize, faults: &[&str]) -> Self {
        let place = Place::new();
        let mut random = Random(20_261_231);
        let (mut seed, mut rows, mut options) = (Vec::new(), Vec::new(), Vec::new());
        for fate in &FATES {
            let times = if fate.goes_well { size } else { 1 };
            for _ in 0..fate.count * times {
                let stood = stood(seed.len() + 1, fate.stands, &mut random);
                let id = stood["id"].as_str().unwrap().to_owned();
                let (at, value) = values(&stood, &mut random);
                rows.extend(fate.rows.iter().map(|cells| {
                    let text =
                        |name| cells.iter().find(|(column, _)| *column == name).map_or("", |(_, text)| text);
                    let mut row =
                        COLUMNS.map(|name| text(name).replace("{value}", &value).replace("{at}", &at));
                    if row[0].is_empty() {
                        row[0].clone_from(&id);
                    }
                    row
                }));
                options
                    .extend(fate.faults.iter().flat_map(|fault| ["--fault".to_owned(), about(fault, &id)]));
                if fate.is_there {
                    seed.push(stood);
                }
            }
        }
        options.extend(faults.iter().flat_map(|fault| ["--fault".to_owned(), (*fault).to_owned()]));
        random.shuffle(&mut rows);
        let late = rows.len() - rows.len() / 12;
        for (name, rows) in FILES.iter().zip([&rows[..late], &rows[late..]]) {
            place.write(name, csv(rows));
        }
        let service = Sandbox::seeded(&place, &seed, &options);
        Self { place, service }
    }

    /// Plans it.
    pub fn plan(&self) -> Ended {
        let plan = ["apply", FILES[0], FILES[1], "--plan", "--out", RUN, "--endpoint", &self.service.base];
        let reason =
            ["--reason", "FY27 Q2 closing, ticket FIN-2291", "--rate", "1000/s", "--progress", "none"];
        self.run(&[&plan[..], &reason].concat(), SENDER)
    }

    /// A second person approves the plan.
    pub fn approve(&self) {
        let approver = "tomas.okafor@partner.example.com";
        self.run(&["approve", RUN, "--approver", APPROVER], approver).expect(0);
    }

    /// Consents to it, and sends.
    pub fn send(&self, options: &[&str]) -> Ended {
        let closings = self.ran().count("/referrals/to_close").to_string();
        let consent = ["resume", RUN, "--yes", "--confirm-closing", &closings, "--progress", "none"];
        self.run(&[&consent[..], options].concat(), SENDER)
    }

    /// Runs the program as somebody.
    pub fn run(&self, arguments: &[&str], account: &str) -> Ended {
        let mut command = program();
        command.args(arguments).env("PARTNER_CENTER_TOKEN", token(account));
        self.place.start_without_token(command).wait()
    }

    pub fn ran(&self) -> Run {
        self.place.run_of(RUN)
    }

    pub fn directory(&self) -> PathBuf {
        self.place.path(RUN)
    }
}

/// The `number`th referral at a status, with names of its own.
fn stood(number: usize, (status, substatus): Stage, random: &mut Random) -> Value {
    let mut pick = |from: &[&str]| from[random.below(from.len())].to_owned();
    let customer = format!("{} {}", pick(&NAMES), pick(&TRADES));
    let (deal, currency) = (pick(&DEALS), pick(&CURRENCIES));
    let mut part = || random.below(0x1_0000);
    let id = format!(
        "{:04x}{:04x}-{:04x}-4{:03x}-a{:03x}-{:04x}{:04x}{:04x}",
        part(),
        part(),
        part(),
        part() & 0xfff,
        part() & 0xfff,
        part(),
        part(),
        part()
    );
    let value = 2_000 + 10 * random.below(9_000);
    let mut referral = referral(number, status, substatus);
    referral["id"] = id.into();
    referral["name"] = format!("{deal} – {customer}").into();
    referral["customerProfile"] = json!({ "name": customer });
    referral["details"]["dealValue"] = value.into();
    referral["details"]["currency"] = currency.into();
    referral
}

/// What a deal is worth, and what it is to be worth.
fn values(referral: &Value, random: &mut Random) -> (String, String) {
    let at = referral["details"]["dealValue"].as_u64().unwrap();
    let share = 80 + random.below(60) as u64;
    (at.to_string(), format!("{}.{:02}", at * share / 100, at * share % 100))
}

/// A fault that meets one referral alone: `patch#2=500` becomes `patch@ID#2=500`.
fn about(fault: &str, id: &str) -> String {
    let at = fault.find(['#', '=']).unwrap();
    format!("{}@{id}{}", &fault[..at], &fault[at..])
}

fn csv(rows: &[[String; 10]]) -> String {
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(COLUMNS).unwrap();
    for row in rows {
        writer.write_record(row).unwrap();
    }
    String::from_utf8(writer.into_inner().unwrap()).unwrap()
}

/// A token that names its account, and is signed by nobody.
fn token(account: &str) -> String {
    let claims = format!("{{\"upn\":\"{account}\",\"scp\":\"user_impersonation\"}}");
    format!("eyJhbGciOiJub25lIn0.{}.c2lnbmF0dXJl", URL_SAFE_NO_PAD.encode(claims))
}
