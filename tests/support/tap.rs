//! A tap on the line between program and service.
//!
//! Requests are written down as they arrive and passed on to the byte, and so are answers. Where the
//! program hangs up, the service is not told, as behind a gateway: what was asked is still done. So a
//! request can outlive the process that sent it.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{self, JoinHandle};

use super::line::{Connection, Request};
use super::sandbox::Sandbox;
use super::waiting::until;

/// A request as it came over the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    pub method: String,
    /// Path and query.
    pub path: String,
    pub if_match: Option<String>,
    pub token: String,
    pub body: String,
}

impl Seen {
    fn of(request: Request) -> Self {
        let header = |name: &str| request.header(name).map(ToOwned::to_owned);
        let (if_match, token) = (header("if-match"), header("authorization").unwrap_or_default());
        let token = token.trim_start_matches("Bearer ").to_owned();
        let Request { head, body } = request;
        Self { method: head.method, path: head.path, if_match, token, body }
    }

    /// Whether it is about one referral, and about this one.
    pub fn is_about(&self, id: &str) -> bool {
        self.path.ends_with(id)
    }
}

/// A tap, for as long as the test lives.
pub struct Tap {
    shared: Arc<Shared>,
    address: SocketAddr,
    accepting: Option<JoinHandle<()>>,
}

struct Shared {
    service: SocketAddr,
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Default)]
struct State {
    seen: Vec<Seen>,
    passed_on: usize,
    /// How many answers began.
    answered: usize,
    /// How many PATCHes are passed on before the next is held back; `None` holds none back.
    patches_let_through: Option<usize>,
    /// The methods that are held back.
    held: &'static [&'static str],
    is_down: bool,
    expired: BTreeSet<String>,
    /// How many requests a token is good for, and the header of the challenge then; `None` sets no limit.
    uses: Option<(usize, String)>,
    programs: Vec<TcpStream>,
    /// The connection that each PATCH came on, in their order.
    patched_on: Vec<TcpStream>,
}

impl Tap {
    pub fn on(service: &Sandbox) -> Self {
        let service = service.address();
        let shared =
            Arc::new(Shared { service, state: Mutex::new(State::default()), changed: Condvar::new() });
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = listener.local_addr().unwrap();
        let accepting = Some(accept(listener, Arc::clone(&shared)));
        Self { shared, address, accepting }
    }

    /// Where the program finds it.
    pub fn endpoint(&self) -> String {
        format!("http://{}/v1.0", self.address)
    }

    /// Every request so far.
    pub fn seen(&self) -> Vec<Seen> {
        self.shared.state().seen.clone()
    }

    /// Forgets what it has seen.
    pub fn forget(&self) {
        self.shared.state().seen.clear();
    }

    /// How many requests of a method there were.
    pub fn count(&self, method: &str) -> usize {
        self.shared.state().seen.iter().filter(|seen| seen.method == method).count()
    }

    /// Waits until so many PATCHes have arrived.
    pub fn has_seen_patches(&self, count: usize) {
        until(&format!("{count} PATCHes"), || (self.count("PATCH") >= count).then_some(()));
    }

    /// Waits until the service has answered all that was passed on.
    pub fn all_answered(&self) {
        until("every answer", || {
            let state = self.shared.state();
            (state.answered == state.passed_on).then_some(())
        });
    }

    /// How many answers the service has begun.
    pub fn answered(&self) -> usize {
        self.shared.state().answered
    }

    /// Passes so many PATCHes on, counted from the first, and holds back those that follow.
    pub fn let_patches_through(&self, count: usize) {
        self.shared.state().patches_let_through = Some(count);
        self.shared.changed.notify_all();
    }

    /// Hangs up on the program that waits for the answer to a PATCH, counted from the first. What becomes of
    /// the request is another matter: it is passed on when its turn comes, as from a queue that nobody waits
    /// at.
    pub fn hang_up_on_patch(&self, turn: usize) {
        let connection = self.shared.state().patched_on[turn - 1].try_clone().unwrap();
        connection.shutdown(Shutdown::Both).unwrap();
    }

    /// Holds back every request of these methods.
    pub fn hold(&self, methods: &'static [&'static str]) {
        self.shared.state().held = methods;
    }

    /// Passes on what is held back, and all that follows.
    pub fn release(&self) {
        let mut state = self.shared.state();
        (state.held, state.patches_let_through) = (&[], None);
        drop(state);
        self.shared.changed.notify_all();
    }

    /// Answers 401 to this token from now on.
    pub fn expire(&self, token: &str) {
        self.shared.state().expired.insert(token.to_owned());
    }

    /// Answers 401 to every token that was sent so many times.
    pub fn wear_tokens_out_after(&self, uses: usize) {
        self.shared.state().uses = Some((uses, String::new()));
    }

    /// Demands these claims, in base64, of every token that was sent so many times.
    pub fn demand_after(&self, uses: usize, claims: &str) {
        let challenge =
            format!("www-authenticate: Bearer error=\"insufficient_claims\", claims=\"{claims}\"\r\n");
        self.shared.state().uses = Some((uses, challenge));
    }

    /// Takes every token that isn't expired, however often.
    pub fn take_tokens(&self) {
        self.shared.state().uses = None;
    }

    /// Cuts the line: connections break, and new ones are refused.
    pub fn down(&mut self) {
        self.shared.state().is_down = true;
        // The listener is woken to see that it is over.
        drop(TcpStream::connect(self.address));
        self.accepting.take().unwrap().join().unwrap();
        for program in self.shared.state().programs.drain(..) {
            // One that is closed already is as good.
            let _ = program.shutdown(Shutdown::Both);
        }
        self.shared.changed.notify_all();
    }

    /// Mends the line. Nothing is held back any more.
    pub fn up(&mut self) {
        self.shared.state().is_down = false;
        self.release();
        let listener = TcpListener::bind(self.address).unwrap();
        self.accepting = Some(accept(listener, Arc::clone(&self.shared)));
    }
}

impl State {
    /// Returns the header of the challenge that a token is refused with, which may be none; `None` where it is taken.
    fn refused(&self, token: &str) -> Option<String> {
        let sent = self.seen.iter().filter(|seen| seen.token == token).count();
        let worn_out = self.uses.as_ref().filter(|(uses, _)| sent >= *uses);
        let challenge = worn_out.map(|(_, challenge)| challenge.clone());
        challenge.or_else(|| self.expired.contains(token).then(String::new))
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // Every change leaves the state whole, so a test that panicked elsewhere spoils nothing.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Notes a request, and waits as long as it is held back. Returns the challenge that it is refused with, or `None`
    /// where it is passed on.
    fn admit(&self, request: Seen, program: &TcpStream) -> Option<String> {
        let mut state = self.state();
        let refused = state.refused(&request.token);
        let (method, is_patch) = (request.method.clone(), request.method == "PATCH");
        state.seen.push(request);
        if is_patch {
            state.patched_on.push(program.try_clone().unwrap());
        }
        let turn = state.patched_on.len();
        while state.held.contains(&method.as_str())
            || is_patch && state.patches_let_through.is_some_and(|through| turn > through)
        {
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.passed_on += usize::from(refused.is_none());
        refused
    }

    /// Passes answers on until the service hangs up. Where the program is gone, nobody hears them.
    fn carry_answers(&self, service: &mut TcpStream, program: &mut TcpStream) {
        let mut bytes = [0; 16 * 1024];
        while let Ok(count @ 1..) = service.read(&mut bytes) {
            self.state().answered += usize::from(bytes[..count].starts_with(b"HTTP/1.1 "));
            let _ = program.write_all(&bytes[..count]);
        }
        // Where it is closed already, that is as good.
        let _ = program.shutdown(Shutdown::Both);
    }
}

fn accept(listener: TcpListener, shared: Arc<Shared>) -> JoinHandle<()> {
    thread::spawn(move || {
        for program in listener.incoming() {
            let mut state = shared.state();
            if state.is_down {
                return;
            }
            let program = program.unwrap();
            program.set_nodelay(true).unwrap();
            state.programs.push(program.try_clone().unwrap());
            let shared = Arc::clone(&shared);
            thread::spawn(move || connect(&shared, program));
        }
    })
}

/// Serves one connection until either side closes it.
fn connect(shared: &Arc<Shared>, mut program: TcpStream) -> Option<()> {
    let mut service = TcpStream::connect(shared.service).ok()?;
    service.set_nodelay(true).ok()?;
    let (mut answers, mut back) = (service.try_clone().ok()?, program.try_clone().ok()?);
    let sharing = Arc::clone(shared);
    thread::spawn(move || sharing.carry_answers(&mut answers, &mut back));
    let mut requests = Connection::new(program.try_clone().ok()?);
    while let Some(request) = requests.request() {
        let bytes = request.bytes();
        let Some(challenge) = shared.admit(Seen::of(request), &program) else {
            service.write_all(&bytes).ok()?;
            continue;
        };
        let answer = format!("HTTP/1.1 401 Unauthorized\r\n{challenge}content-length: 0\r\n\r\n");
        program.write_all(answer.as_bytes()).ok()?;
    }
    Some(())
}
