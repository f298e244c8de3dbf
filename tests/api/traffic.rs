//! What a run lets out and takes in: the ids that its requests carry, the token, which goes to the service
//! and nowhere else, and answers that have no end.

mod bodies;
mod ids;
mod tokens;
mod versions;

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use std::{fs, thread};

use serde_json::{Value, json};

use crate::support::case::Test;
use crate::support::place::Place;
use crate::support::program::TOKEN;
use crate::support::samples::{notes_csv, sample_referral};
use crate::support::waiting::each;
use crate::support::wire::{self, Request, Wire};

const ONE: &str = "5a1e0001-0000-4000-8000-000000000015";
const TWO: &str = "5a1e0001-0000-4000-8000-000000000027";

const QUIET: &str = "--rate 1000/s --summary none --progress none --yes";
