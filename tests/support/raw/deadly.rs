//! A service that has the process killed that asks it something: it knows exactly how far that has come.
//! However long the kill takes, the process doesn't get much further than its doom.

use std::collections::BTreeMap;
use std::sync::mpsc::{self, Receiver, Sender};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::sleep;
use std::time::Duration;

use nix::sys::signal::Signal;

use super::api::Api;
use crate::support::line::{Connection, Request, serve};
use crate::support::program::{Ended, Started};
use crate::support::waiting::until;

/// What meets a process: at which of its requests, and when exactly.
#[derive(Debug, Clone, Copy)]
pub struct Doom {
    /// The first of them that reads a referral, where it comes before the change. Nothing but what is in
    /// doubt is read one by one.
    pub at_a_look: bool,
    /// So many pages of the list from now on.
    pub at_page: Option<usize>,
    /// So many changes from now on.
    pub at_change: usize,
    pub moment: Moment,
}

/// When a process is killed.
#[derive(Debug, Clone, Copy)]
pub enum Moment {
    /// The request is there, and nothing is ever done for it.
    Arrived,
    /// The request is there. It is carried out when so many more have come, or all is over.
    Late(usize),
    /// It is carried out and not answered.
    CarriedOut,
    /// The answer's head is half written.
    HalfHead,
    /// The answer's body is half written.
    HalfBody,
    /// The answer is written.
    Answered,
    /// So long after the request came, whatever happens meanwhile.
    Soon(Duration),
}

/// Asks for a kill; when it is done, or there is nobody left to kill, the other end is dropped.
struct Kill {
    after: Duration,
    done: Sender<()>,
}

/// What can happen to a change, so that a process has more to do than to send it.
#[derive(Debug, Clone, Copy)]
pub enum Trouble {
    /// It is lost on its way.
    Lost,
    /// It is carried out, and the answer is lost.
    Unanswered,
}

/// How many requests come through between a doom and the kill, as where that takes a moment.
const LAST_REQUESTS: usize = 6;

/// What a request meets.
enum Met {
    Nothing,
    Doom(Moment),
    /// The process that made it is dead: nothing is done for it any more.
    Death,
}

pub struct Deadly {
    shared: Arc<Shared>,
    kills: Receiver<Kill>,
    endpoint: String,
}

struct Shared {
    state: Mutex<State>,
    changed: Condvar,
    kills: Sender<Kill>,
}

struct State {
    api: Api,
    /// What the first change of a referral meets.
    troubles: BTreeMap<String, Trouble>,
    doom: Option<Doom>,
    /// How many more requests are let through of a process that has met its doom; `None` while none has.
    last_requests: Option<usize>,
    /// How many processes have been watched to their end.
    ended: u64,
    /// How many changes are carried out before the next is held back; `None` holds none back.
    changes_let_through: Option<usize>,
    /// Requests that are to be carried out late.
    late: usize,
    is_over: bool,
}

impl Deadly {
    pub fn serve(api: Api) -> Self {
        let (ask, kills) = mpsc::channel();
        let state = State {
            api,
            troubles: BTreeMap::new(),
            doom: None,
            last_requests: None,
            ended: 0,
            changes_let_through: None,
            late: 0,
            is_over: false,
        };
        let shared = Arc::new(Shared { state: Mutex::new(state), changed: Condvar::new(), kills: ask });
        let serving = Arc::clone(&shared);
        // A client that is dead by now hears no answer.
        let address = serve(move |connection| drop(serving.converse(connection)));
        Self { shared, kills, endpoint: format!("http://{address}/v1.0") }
    }

    /// Where the program finds it.
    pub fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Lets the first change of a referral meet this.
    pub fn trouble(&self, id: String, trouble: Trouble) {
        self.shared.state().troubles.insert(id, trouble);
    }

    /// Holds back every change after so many, counted from the first; with `None`, none any more.
    pub fn let_changes_through(&self, count: Option<usize>) {
        self.shared.state().changes_let_through = count;
        self.shared.changed.notify_all();
    }

    /// Looks into its memory.
    pub fn look<T>(&self, with: impl FnOnce(&mut Api) -> T) -> T {
        with(&mut self.shared.state().api)
    }

    /// Waits for a process to end, by itself or by its doom.
    pub fn watch(&self, mut process: Started, doom: Option<Doom>) -> Ended {
        // What a process asked for that ended in another way is no kill of this one.
        while self.kills.try_recv().is_ok() {}
        self.shared.state().doom = doom;
        let ended = loop {
            if let Ok(kill) = self.kills.recv_timeout(Duration::from_millis(2)) {
                sleep(kill.after);
                process.signal(Signal::SIGKILL);
                break process.wait();
            }
            if !process.is_running() {
                break process.wait();
            }
        };
        let mut state = self.shared.state();
        (state.doom, state.last_requests) = (None, None);
        state.ended += 1;
        drop(state);
        self.shared.changed.notify_all();
        ended
    }

    /// Waits until all is carried out that was to be carried out late.
    pub fn is_over(&self) {
        self.shared.state().is_over = true;
        self.shared.changed.notify_all();
        until("what comes late", || (self.shared.state().late == 0).then_some(()));
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn converse(&self, mut connection: Connection) -> std::io::Result<()> {
        while let Some(request) = connection.request() {
            match self.admit(&request) {
                Met::Nothing => connection.write(self.carry_out(&request))?,
                Met::Doom(Moment::Soon(after)) => {
                    // Whether it is done by then is not waited for.
                    drop(self.kill(after));
                    connection.write(self.carry_out(&request))?;
                }
                Met::Doom(moment) => return self.end(moment, &request, connection),
                Met::Death => return Ok(()),
            }
        }
        Ok(())
    }

    /// Writes a request down, and waits as long as it is held back; answers what the process meets at it.
    fn admit(&self, request: &Request) -> Met {
        let mut state = self.state();
        state.api.note(request);
        self.changed.notify_all();
        let wait = |state| self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        if request.method == "PATCH" {
            let turn = state.api.asked().iter().filter(|asked| asked.method == "PATCH").count();
            while state.changes_let_through.is_some_and(|through| turn > through) {
                state = wait(state);
            }
        }
        if let Some(left) = state.last_requests {
            let ended = state.ended;
            while left == 0 && state.ended == ended {
                state = wait(state);
            }
            if left == 0 {
                return Met::Death;
            }
            state.last_requests = Some(left - 1);
        }
        let Some(doom) = state.doom.as_mut() else { return Met::Nothing };
        let is_page = request.id().is_empty();
        let due = match (request.method.as_str(), &mut doom.at_page) {
            ("GET", Some(left)) if is_page => count_down(left),
            ("GET", _) => doom.at_a_look && !is_page,
            _ => count_down(&mut doom.at_change),
        };
        if !due {
            return Met::Nothing;
        }
        state.last_requests = Some(LAST_REQUESTS);
        Met::Doom(state.doom.take().unwrap().moment)
    }

    fn carry_out(&self, request: &Request) -> Vec<u8> {
        let state = &mut *self.state();
        let is_change = request.method == "PATCH";
        match is_change.then(|| state.troubles.remove(request.id())).flatten() {
            None => state.api.carry_out(request).bytes(),
            Some(trouble) => {
                if matches!(trouble, Trouble::Unanswered) {
                    state.api.carry_out(request);
                }
                b"HTTP/1.1 502 Bad Gateway\r\ncontent-length: 0\r\n\r\n".to_vec()
            }
        }
    }

    fn end(&self, moment: Moment, request: &Request, mut connection: Connection) -> std::io::Result<()> {
        let answer = match moment {
            Moment::Arrived | Moment::Late(_) => Vec::new(),
            _ => self.carry_out(request),
        };
        let head = answer.windows(4).position(|four| four == b"\r\n\r\n").map_or(0, |at| at + 4);
        let written = match moment {
            Moment::HalfHead => head / 2,
            Moment::HalfBody => head.midpoint(answer.len()),
            Moment::Answered => answer.len(),
            _ => 0,
        };
        connection.write(&answer[..written])?;
        self.state().late += usize::from(matches!(moment, Moment::Late(_)));
        // Fails when it is done.
        let _ = self.kill(Duration::ZERO).recv();
        if let Moment::Late(after) = moment {
            self.carry_out_late(request, after);
        }
        Ok(())
    }

    fn carry_out_late(&self, request: &Request, after: usize) {
        let mut state = self.state();
        let due = state.api.asked().len() + after;
        while !state.is_over && state.api.asked().len() < due {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.api.carry_out(request);
        state.late -= 1;
    }

    fn kill(&self, after: Duration) -> Receiver<()> {
        let (done, wait) = mpsc::channel();
        // Without anybody who kills, nobody is killed.
        let _ = self.kills.send(Kill { after, done });
        wait
    }
}

fn count_down(left: &mut usize) -> bool {
    *left = left.saturating_sub(1);
    *left == 0
}
