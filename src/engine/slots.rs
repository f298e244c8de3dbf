//! So many requests are in flight at most, and what was refused goes to the end of the line.
//!
//! Who has a place keeps it to the end of its life, through every back-off, so that no more are in trouble
//! than were allowed at a time. A refusal that may be everybody's is another matter: then the place goes to
//! whoever has waited longest, and what becomes of that one tells whose it was. Else a referral that is
//! always refused would hold its place for ever, at a concurrency of one everybody's.
//!
//! Where it is the number of requests at a time that is refused, there are fewer places
//! ([`width`](crate::pace::width)).

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use crate::pace::width::Width;

/// So many wait in line, so that there is somebody who comes before what was refused, and none of them is
/// more than a row in memory.
const QUEUE: usize = 16;

/// The places of a run.
#[derive(Debug)]
pub struct Slots(Arc<Places>);

/// Where a life stands: it has a place, or waits for one.
#[derive(Debug)]
pub struct Slot {
    held: Mutex<Option<OwnedSemaphorePermit>>,
    places: Arc<Places>,
}

#[derive(Debug)]
struct Places {
    count: usize,
    /// tokio's semaphore serves those who wait in the order of asking.
    free: Arc<Semaphore>,
    capacity: Mutex<Capacity>,
    /// Those that have a place, or wait for one.
    tasks: AtomicUsize,
}

#[derive(Debug)]
struct Capacity {
    width: Width,
    /// Places that are to go once whoever has them leaves.
    surplus: usize,
}

impl Slots {
    /// So many places.
    pub fn new(count: usize) -> Self {
        let capacity = Mutex::new(Capacity { width: Width::new(count), surplus: 0 });
        Self(Arc::new(Places {
            count,
            free: Arc::new(Semaphore::new(count)),
            capacity,
            tasks: AtomicUsize::new(0),
        }))
    }

    /// How many lives are to be under way: those that have a place, and those that wait for one.
    pub fn tasks(&self) -> usize {
        self.0.count + QUEUE
    }

    /// For a life that begins, and has no place yet.
    pub fn slot(&self) -> Slot {
        self.0.tasks.fetch_add(1, Ordering::Relaxed);
        Slot { held: Mutex::default(), places: Arc::clone(&self.0) }
    }

    /// A request that left as one of so many in flight was let through.
    pub fn let_through(&self, among: usize) {
        self.0.fit(|width| width.let_through(among));
    }

    /// A request that left as one of so many in flight was refused.
    pub fn refused(&self, among: usize) {
        self.0.fit(|width| width.refused(among));
    }
}

impl Places {
    /// Makes as many places as there should be after this.
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
    /// Waits for a place, behind all who wait already; returns at once where there is one.
    pub async fn take(&self) {
        let has_place = self.held().is_some();
        if !has_place {
            let free = Arc::clone(&self.places.free);
            let place = free.acquire_owned().await.expect("the line is never closed");
            *self.held() = Some(place);
        }
    }

    /// Gives the place away.
    pub fn leave(&self) {
        let place = self.held().take();
        if let Some(place) = place {
            self.places.give_back(place);
        }
    }

    /// Whether there is nobody else.
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

    /// How many could have a place at once.
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
