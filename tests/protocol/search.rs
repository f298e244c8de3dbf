//! Goes through all states that can be reached, breadth first, so that the way to whatever is found is a shortest one.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use crate::ledger::Who;
use crate::rules::Rules;
use crate::step::{Comes, Step};
use crate::truth::{Wrong, wrong};
use crate::world::World;

/// What a search came to.
pub struct Found {
    pub states: usize,
    /// What happened at all.
    pub happened: BTreeSet<String>,
    /// Whatever is wrong somewhere, with a shortest way to it.
    pub wrong: BTreeMap<Wrong, Vec<String>>,
}

/// Goes through all states.
pub fn search(rules: &Rules) -> Found {
    let graph = Graph::explore(rules);
    let mut first = BTreeMap::new();
    for (at, world) in graph.worlds.iter().enumerate() {
        for what in wrong(world, rules) {
            first.entry(what).or_insert(at);
        }
    }
    let stuck = [Who::A, Who::B].into_iter().filter_map(|left| graph.first_stuck(left, rules)).min();
    first.extend(stuck.map(|at| (Wrong::NobodyGoesOn, at)));
    Found {
        states: graph.worlds.len(),
        happened: graph.happened(),
        wrong: first.into_iter().map(|(what, at)| (what, graph.way_to(at))).collect(),
    }
}

/// A step from one state to another, by their numbers.
struct Edge {
    from: usize,
    to: usize,
    step: Step,
}

/// Room for as many states as most searches have, so that they are not hashed again and again.
const USUAL_STATES: usize = 1 << 17;

/// All states, and all steps between them.
struct Graph {
    worlds: Vec<Rc<World>>,
    edges: Vec<Edge>,
    /// The number of the edge by which a state was reached first.
    reached_by: Vec<Option<usize>>,
}

impl Graph {
    fn explore(rules: &Rules) -> Self {
        let beginning = Rc::new(World::new(rules));
        let mut numbers = HashMap::with_capacity(USUAL_STATES);
        numbers.insert(Rc::clone(&beginning), 0);
        let mut graph = Self { worlds: vec![beginning], edges: Vec::new(), reached_by: vec![None] };
        let mut from = 0;
        while let Some(world) = graph.worlds.get(from).cloned() {
            for (step, after) in world.steps(rules) {
                let after = Rc::new(after);
                let to = *numbers.entry(Rc::clone(&after)).or_insert_with(|| {
                    graph.worlds.push(after);
                    graph.reached_by.push(Some(graph.edges.len()));
                    graph.worlds.len() - 1
                });
                graph.edges.push(Edge { from, to, step });
            }
            from += 1;
        }
        graph
    }

    /// The words of all steps.
    fn happened(&self) -> BTreeSet<String> {
        let by_kind = self.edges.iter().map(|edge| ((edge.step.does, edge.step.how), edge.step));
        by_kind.collect::<BTreeMap<_, _>>().into_values().map(Step::words).collect()
    }

    /// The first state from which `left` doesn't bring the item to its outcome, where the other worker stands still and
    /// nothing goes wrong any more: none of its steps is left, or it can go round and round.
    fn first_stuck(&self, left: Who, rules: &Rules) -> Option<usize> {
        let mut open = vec![0_usize; self.worlds.len()];
        let mut goes_on = vec![false; self.worlds.len()];
        let mut before = vec![Vec::new(); self.worlds.len()];
        for edge in &self.edges {
            let Some(comes) = edge.step.alone(left) else { continue };
            open[edge.from] += 1;
            goes_on[edge.from] |= comes == Comes::Surely;
            before[edge.to].push(edge.from);
        }
        let is_end = |at: &usize| self.worlds[*at].is_over() || !self.worlds[*at].may_go_on(left, rules);
        let mut ending: Vec<usize> = (0..self.worlds.len()).filter(is_end).collect();
        let mut ends = vec![false; self.worlds.len()];
        ending.iter().for_each(|at| ends[*at] = true);
        while let Some(at) = ending.pop() {
            for from in &before[at] {
                open[*from] -= 1;
                if open[*from] == 0 && goes_on[*from] && !ends[*from] {
                    ends[*from] = true;
                    ending.push(*from);
                }
            }
        }
        ends.iter().position(|ends| !ends)
    }

    /// The steps by which a state was reached first, and the state.
    fn way_to(&self, at: usize) -> Vec<String> {
        let by = std::iter::successors(self.reached_by[at], |edge| self.reached_by[self.edges[*edge].from]);
        let mut way: Vec<String> = by.map(|edge| self.edges[edge].step.to_string()).collect();
        way.reverse();
        way.push(format!("{:?}", self.worlds[at].ledger));
        way.push(format!("{:?}", self.worlds[at].service));
        way
    }
}
