//! Serves HTTP: methods, paths and headers.
//!
//! A request is handled in this order: it is counted; its token is checked; where the sandbox is strict, its
//! headers; then the limits; then faults apply; then it is carried out.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, Uri};
use axum::response::Response;
use axum::serve::ListenerExt;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use uuid::Uuid;

use super::answer::{ErrorAnswer, HttpAnswer};
use super::body;
use super::fault::{FaultEffect, FaultKind};
use super::incoming::{
    CLIENT_REQUEST_ID, Call, IncomingRequest, check_call, has_token, wants_representation,
};
use super::list::Query;
use super::quota::TooMany;
use super::service::Sandbox;
use super::store::etag_of;

/// The state that the HTTP handler shares.
struct Served {
    sandbox: Sandbox,
    /// Turns true when the sandbox shuts down.
    closing: watch::Receiver<bool>,
}

/// Returns a router with one handler for every path, because a fault may apply to any request.
fn router(sandbox: Sandbox, closing: watch::Receiver<bool>) -> Router {
    Router::new().fallback(handle).with_state(Arc::new(Served { sandbox, closing }))
}

async fn handle(
    State(served): State<Arc<Served>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Body,
) -> Response {
    let body = body::read(&headers, body).await;
    let _in_hand = served.sandbox.take_in_hand();
    let request = IncomingRequest { call: Call::of(&method, uri.path()), uri, headers, body };
    let mut response = match served.sandbox.admit(&request) {
        Err(answer) => answer.whole(),
        Ok(None) => served.sandbox.carry_out(&request).whole(),
        Ok(Some(effect)) => served.fail(&request, effect).await,
    };
    served.sandbox.count_answer(response.status());
    if let Some(id) = request.headers.get(CLIENT_REQUEST_ID) {
        response.headers_mut().insert(CLIENT_REQUEST_ID, id.clone());
    }
    served.sandbox.tell_quota(response.headers_mut());
    response
}

impl Served {
    /// Answers a request as a fault says.
    async fn fail(&self, request: &IncomingRequest, FaultEffect { what, applied }: FaultEffect) -> Response {
        let carry_out = || self.sandbox.carry_out(request);
        let done = (applied && what != FaultKind::Echo).then(carry_out);
        match what {
            FaultKind::Echo => self.sandbox.echo(request, applied).unwrap_or_else(HttpAnswer::from).whole(),
            // Where a false success is wanted and the change is refused, the refusal is the answer.
            FaultKind::Stale | FaultKind::Bare | FaultKind::Error
                if done.as_ref().is_some_and(|done| !done.status.is_success()) =>
            {
                done.unwrap_or_else(carry_out).whole()
            }
            FaultKind::Stale => self.sandbox.look_late(request).whole(),
            FaultKind::Bare => HttpAnswer::no_content().whole(),
            FaultKind::Error => HttpAnswer::error_in_yes().whole(),
            FaultKind::Ignores(pointer) => self.sandbox.carry_out_but(request, Some(&pointer)).whole(),
            FaultKind::Slow(time) => {
                self.wait(Some(time)).await;
                carry_out().whole()
            }
            FaultKind::Edited => {
                self.sandbox.edit(request.call);
                carry_out().whole()
            }
            FaultKind::Hang => {
                self.wait(None).await;
                HttpAnswer::none()
            }
            FaultKind::Cut => match done {
                Some(answer) if !answer.body.is_empty() => answer.half(),
                _ => self.sandbox.look(request).half(),
            },
            FaultKind::Html => HttpAnswer::html().whole(),
            FaultKind::Garbage => HttpAnswer::garbage().whole(),
            FaultKind::Status { status, retry_after } => {
                HttpAnswer::from(ErrorAnswer::pretended(status)).with_retry_after(retry_after).whole()
            }
        }
    }

    /// Waits for a time, or for ever; no longer than until the sandbox shuts down.
    async fn wait(&self, time: Option<Duration>) {
        let mut closing = self.closing.clone();
        let closed = closing.wait_for(|closing| *closing);
        // The wait also ends where the sandbox was dropped.
        match time {
            Some(time) => drop(timeout(time, closed).await),
            None => drop(closed.await),
        }
    }
}

/// Counts a request as unanswered until it is dropped, also where its client disconnects meanwhile.
struct InHand<'a>(&'a Sandbox);

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        self.0.state().in_hand -= 1;
    }
}

impl Sandbox {
    /// Serves on a listener until `shutdown` completes. Requests in flight are answered first, and
    /// those that hang are cut off.
    ///
    /// # Errors
    /// Returns an error where the listener fails for good.
    pub async fn serve(
        &self,
        listener: TcpListener,
        shutdown: impl Future<Output = ()> + Send + 'static,
    ) -> io::Result<()> {
        let (closing, watched) = watch::channel(false);
        // Nagle's algorithm would delay small answers, each of which a client waits for. A socket that
        // refuses the option is served all the same, only slower.
        let listener = listener.tap_io(|socket| drop(socket.set_nodelay(true)));
        axum::serve(listener, router(self.clone(), watched))
            .with_graceful_shutdown(async move {
                shutdown.await;
                closing.send_replace(true);
            })
            .await
    }

    fn take_in_hand(&self) -> InHand<'_> {
        self.state().in_hand += 1;
        InHand(self)
    }

    /// Counts a request and checks whether it is accepted; returns the effect of the fault that applies to
    /// it.
    fn admit(&self, request: &IncomingRequest) -> Result<Option<FaultEffect>, HttpAnswer> {
        let state = &mut *self.state();
        *match request.call {
            Call::Get(_) => &mut state.counts.gets,
            Call::List => &mut state.counts.lists,
            Call::Patch(_) => &mut state.counts.patches,
            Call::Registration | Call::NotAllowed(_) | Call::Unknown => &mut state.counts.others,
        } += 1;
        if !has_token(&request.headers) {
            let message = "a bearer token is missing from the Authorization header";
            let status = StatusCode::UNAUTHORIZED;
            return Err(ErrorAnswer::new(status, "Unauthorized", "TokenMissing", message).into());
        }
        if self.shared.strict {
            check_call(request, &mut state.calls)?;
        }
        if self.shared.at_once.is_some_and(|most| state.in_hand > most) {
            state.counts.throttled += 1;
            return Err(HttpAnswer::busy());
        }
        match state.quota.as_mut().map_or(Ok(()), |quota| quota.enter(Instant::now())) {
            Ok(()) => {}
            Err(TooMany::After(seconds)) => {
                let status = StatusCode::TOO_MANY_REQUESTS;
                let message = format!("too many requests: try again in {seconds} s");
                let refusal = ErrorAnswer::new(status, "TooManyRequests", "TooManyRequests", message);
                return Err(HttpAnswer::from(refusal).with_retry_after(Some(seconds)));
            }
            Err(TooMany::Busy) => {
                state.counts.throttled += 1;
                return Err(HttpAnswer::busy());
            }
        }
        let effect = state.faults.meet(request.call.subject());
        state.counts.faulted += u64::from(effect.is_some());
        Ok(effect)
    }

    /// Adds the headers that tell how much of the quota is left, where it is to be told.
    fn tell_quota(&self, headers: &mut HeaderMap) {
        let Some(form) = self.shared.quota_headers else { return };
        let told = self.state().quota.as_ref().map(|quota| quota.headers(form, Instant::now()));
        for (name, value) in told.into_iter().flatten() {
            if let Ok(value) = HeaderValue::try_from(value) {
                headers.insert(name, value);
            }
        }
    }

    fn count_answer(&self, status: StatusCode) {
        if status.is_client_error() {
            let counts = &mut self.state().counts;
            let throttled = status == StatusCode::TOO_MANY_REQUESTS;
            *if throttled { &mut counts.throttled } else { &mut counts.refused } += 1;
        }
    }

    fn carry_out(&self, request: &IncomingRequest) -> HttpAnswer {
        self.carry_out_but(request, None)
    }

    /// Carries a request out, but ignores what a change does to one member.
    fn carry_out_but(&self, request: &IncomingRequest, ignored: Option<&str>) -> HttpAnswer {
        let answer = match request.call {
            Call::Get(id) => self.get(id),
            Call::List => self.list(&request.uri),
            Call::Patch(id) => self.patch(id, request, ignored),
            Call::NotAllowed(methods) => {
                let message =
                    format!("this path takes {methods} only: nothing is created or replaced as a whole here");
                let status = StatusCode::METHOD_NOT_ALLOWED;
                let refusal = ErrorAnswer::new(status, "MethodNotAllowed", "MethodNotAllowed", message);
                return HttpAnswer::from(refusal).with_allow(methods);
            }
            Call::Registration => {
                let message = "deal registrations are not played here: referrals are read and patched";
                Err(ErrorAnswer::new(StatusCode::NOT_FOUND, "NotFound", "RegistrationNotPlayed", message))
            }
            Call::Unknown => {
                let message = "there is nothing at this path";
                Err(ErrorAnswer::new(StatusCode::NOT_FOUND, "NotFound", "PathNotFound", message))
            }
        };
        answer.unwrap_or_else(HttpAnswer::from)
    }

    /// Returns the answer to a GET of the same referral. It is cut in half where the request itself has no
    /// body.
    fn look(&self, request: &IncomingRequest) -> HttpAnswer {
        match request.call {
            Call::Patch(id) => self.get(id).unwrap_or_else(HttpAnswer::from),
            _ => self.carry_out(request),
        }
    }

    /// Returns the answer of a read that lags behind the last change.
    fn look_late(&self, request: &IncomingRequest) -> HttpAnswer {
        let (Call::Get(id) | Call::Patch(id)) = request.call else { return self.carry_out(request) };
        let state = self.state();
        let shown = state.store.earlier(id).map(|referral| self.shown(referral));
        shown.unwrap_or_else(HttpAnswer::from)
    }

    /// Returns the change as if it was made, at the version from before it.
    fn echo(&self, request: &IncomingRequest, applied: bool) -> Result<HttpAnswer, ErrorAnswer> {
        let Call::Patch(id) = request.call else { return Ok(self.carry_out(request)) };
        let (document, if_match) = request.change()?;
        let now = self.now();
        let state = &mut *self.state();
        let etag = etag_of(state.store.get(id)?).map(ToOwned::to_owned);
        let mut echo = if applied {
            state.counts.applied += 1;
            state.store.change(id, if_match, document, now)?.clone()
        } else {
            state.store.changed(id, if_match, document, now)?
        };
        echo["eTag"] = etag.into();
        Ok(self.shown(&echo))
    }

    /// Returns the answer that shows a referral.
    fn shown(&self, referral: &Value) -> HttpAnswer {
        let view = &self.shared.view;
        HttpAnswer::json(StatusCode::OK, view.single(referral)).with_etag(view.header(referral))
    }

    fn get(&self, id: Option<Uuid>) -> Result<HttpAnswer, ErrorAnswer> {
        let state = self.state();
        state.store.get(id).map(|referral| self.shown(referral))
    }

    fn list(&self, uri: &Uri) -> Result<HttpAnswer, ErrorAnswer> {
        let parameters = axum::extract::Query::try_from_uri(uri)
            .map_err(|_| ErrorAnswer::bad("InvalidQuery", "NotAQuery", "the query cannot be read"))?;
        let query = Query::parse(parameters.0)?;
        let page = query.page(&self.state().store, &self.shared.view);
        Ok(HttpAnswer::json(StatusCode::OK, page))
    }

    fn patch(
        &self,
        id: Option<Uuid>,
        request: &IncomingRequest,
        ignored: Option<&str>,
    ) -> Result<HttpAnswer, ErrorAnswer> {
        let (document, if_match) = request.change()?;
        let document = match ignored {
            Some(pointer) => document.without(pointer),
            None => document,
        };
        let now = self.now();
        let state = &mut *self.state();
        let referral = state.store.change(id, if_match, document, now)?;
        state.counts.applied += 1;
        let answer = if wants_representation(&request.headers) {
            HttpAnswer::json(StatusCode::OK, self.shared.view.single(referral))
        } else {
            HttpAnswer::no_content()
        };
        Ok(answer.with_etag(self.shared.view.header(referral)))
    }

    /// Changes the referral that a request names, as another user would.
    fn edit(&self, call: Call) {
        if let Call::Get(id) | Call::Patch(id) = call {
            let now = self.now();
            self.state().store.edit(id, now);
        }
    }
}
