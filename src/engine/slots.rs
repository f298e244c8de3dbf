//! Limits how many requests are in flight. A task that was refused goes to the end of the queue.
//!
//! A task keeps its place until it is done, through every back-off, so that the tasks in difficulty are never
//! more than the concurrency. A refusal that may concern the whole run is the exception: then the place goes
//! to the task that has waited longest, and what becomes of its request tells what the refusal concerned.
//! Otherwise a referral that is always refused would hold its place for ever, and at a concurrency of one
//! nothing else would be sent.
//!
//! Where the number of requests in flight is what gets refused, the number of places falls
//! ([`width`](crate::pace::width)).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::pace::width::Width;

/// The number of tasks that wait for a place, beyond those that have one. So there is another task to let go
/// before one that was refused; each costs no more memory than its item.
const QUEUE: usize = 16;

/// The places of a run: as many as its concurrency, or fewer where their number is refused.
#[derive(Debug)]
pub struct Slots(Arc<Places>);

/// A task's place, or its claim to one. Dropping it gives the place back.
#[derive(Debug)]
pub struct Slot {
    held: Mutex<Option<OwnedSemaphorePermit>>,
    places: Arc<Places>,
}

/// What all slots of a run share.
#[derive(Debug)]
struct Places {
    count: usize,
    /// The free places. tokio's semaphore gives them to waiting tasks in the order in which they asked.
    free: Arc<Semaphore>,
    capacity: Mutex<Capacity>,
    /// The number of tasks that have a place, or wait for one.
    tasks: AtomicUsize,
}

/// How many places there should be.
#[derive(Debug)]
struct Capacity {
    width: Width,
    /// Places to remove once the tasks that have them give them back.
    surplus: usize,
}

impl Slots {
    /// Returns `count` places.
    pub fn new(count: usize) -> Self {
        let capacity = Mutex::new(Capacity { width: Width::new(count), surplus: 0 });
        Self(Arc::new(Places {
            count,
            free: Arc::new(Semaphore::new(count)),
            capacity,
            tasks: AtomicUsize::new(0),
        }))
    }

    /// Returns how many tasks to run at a time: those that have a place, and those that wait for one.
    pub fn tasks(&self) -> usize {
        self.0.count + QUEUE
    }

    /// Returns the slot of a new task, which has no place yet.
    pub fn slot(&self) -> Slot {
        self.0.tasks.fetch_add(1, Ordering::Relaxed);
        Slot { held: Mutex::default(), places: Arc::clone(&self.0) }
    }

    /// Records that a request was let through that was sent with `among` in flight, itself included.
    pub fn let_through(&self, among: usize) {
        self.0.fit(|width| width.let_through(among));
    }

    /// Records that a request was refused that was sent with `among` in flight, itself included.
    pub fn refused(&self, among: usize) {
        self.0.fit(|width| width.refused(among));
    }
}

impl Places {
    /// Updates the width, and adds or removes places to match it.
    fn fit(&self, tell: impl FnOnce(&mut Width)) {
        let mut capacity = self.capacity();
        let before = capacity.width.limit();
        tell(&mut capacity.width);
        let after = capacity.width.limit();
        if let Some(fewer) = before.checked_sub(after) {
            capacity.surplus += fewer - self.free.forget_permits(fewer);
        } else {
            let kept = capacity.surplus.min(after - before);
            capacity.surplus -= kept;
            self.free.add_permits(after - before - kept);
        }
    }

    /// Frees a place, or removes it where there are too many.
    fn give_back(&self, place: OwnedSemaphorePermit) {
        let mut capacity = self.capacity();
        match capacity.surplus.checked_sub(1) {
            None => drop(place),
            Some(left) => {
                capacity.surplus = left;
                place.forget();
            }
        }
    }

    /// Every change above leaves the room whole, so a poisoned lock holds nothing wrong.
    fn capacity(&self) -> MutexGuard<'_, Capacity> {
        self.capacity.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// Waits for a place, behind all tasks that wait already; returns at once where the task has one.
    pub async fn take(&self) {
        let has_place = self.held().is_some();
        if !has_place {
            let free = Arc::clone(&self.places.free);
            let place = free.acquire_owned().await.expect("the semaphore is never closed");
            *self.held() = Some(place);
        }
    }

    /// Gives the place back.
    pub fn leave(&self) {
        let place = self.held().take();
        if let Some(place) = place {
            self.places.give_back(place);
        }
    }

    /// Returns whether this is the only task.
    pub fn is_alone(&self) -> bool {
        self.places.tasks.load(Ordering::Relaxed) < 2
    }

    /// A place is there or not, so a poisoned lock holds nothing wrong.
    fn held(&self) -> MutexGuard<'_, Option<OwnedSemaphorePermit>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.leave();
        self.places.tasks.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use futures::FutureExt;

    use super::*;

    #[test]
    fn who_leaves_its_place_stands_behind_all_who_wait() {
        let slots = Slots::new(1);
        let first = slots.slot();
        assert!(first.is_alone());
        let (second, third) = (slots.slot(), slots.slot());
        assert!(!first.is_alone());
        assert!(first.take().now_or_never().is_some());
        assert!(first.take().now_or_never().is_some(), "it has its place");
        let (mut second_in_line, mut third_in_line) = (Box::pin(second.take()), Box::pin(third.take()));
        assert!((&mut second_in_line).now_or_never().is_none());
        assert!((&mut third_in_line).now_or_never().is_none());
        first.leave();
        let mut again = Box::pin(first.take());
        assert!((&mut again).now_or_never().is_none());
        assert!((&mut third_in_line).now_or_never().is_none(), "in the order of asking");
        assert!((&mut second_in_line).now_or_never().is_some());
        second.leave();
        assert!((&mut again).now_or_never().is_none());
        assert!((&mut third_in_line).now_or_never().is_some());
        drop((second_in_line, third_in_line));
        drop(third);
        assert!((&mut again).now_or_never().is_some(), "a life that is over has none");
    }

    /// Returns how many more tasks could have a place at once.
    fn free(slots: &Slots) -> usize {
        let tasks: Vec<Slot> = (0..100).map(|_| slots.slot()).collect();
        tasks.iter().filter(|slot| slot.take().now_or_never().is_some()).count()
    }

    #[test]
    fn there_are_fewer_places_where_their_number_is_refused() {
        let slots = Slots::new(8);
        let held: Vec<Slot> = (0..6).map(|_| slots.slot()).collect();
        held.iter().for_each(|slot| slot.take().now_or_never().unwrap());
        (0..8).for_each(|_| slots.let_through(2));
        (0..3).for_each(|_| slots.refused(5));
        assert_eq!(free(&slots), 0, "four there should be, and six have one");
        let mut held = held.into_iter();
        drop((held.next(), held.next()));
        assert_eq!(free(&slots), 0);
        drop(held.next());
        assert_eq!(free(&slots), 1);
        (0..1_000).for_each(|_| slots.let_through(8));
        assert_eq!(free(&slots), 4, "one more is tried after another");
        drop(held);
        assert_eq!(free(&slots), 7);
    }
}
