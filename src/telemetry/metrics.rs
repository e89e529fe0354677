//! The proxy's counters and gauges.

use log::error;

use super::event::{EVENTS, Event};
use crate::decision::Decision;
use crate::host::HostError;
use crate::policy::Policy;

/// The gauges that are there whatever the configuration.
const REMEMBERED: &str = "basic_auth.logins_remembered";
const LENGTH: &str = "basic_auth.queue_length";
const OLDEST: &str = "basic_auth.queue_oldest_ms";
/// The gauge that is there where lists are fetched.
const FETCH_AGE: &str = "basic_auth.fetch.age_seconds";

/// What metrics ask of the proxy.
pub trait MetricHost {
    /// Makes a metric known, or finds the one of that name.
    ///
    /// # Errors
    /// That the proxy did not do it.
    fn define_metric(&self, kind: MetricKind, name: &str) -> Result<u32, HostError>;

    /// Adds to a counter or a gauge.
    ///
    /// # Errors
    /// That the proxy did not do it.
    fn add_to_metric(&self, metric: u32, difference: i64) -> Result<(), HostError>;

    /// Gives a gauge a value.
    ///
    /// # Errors
    /// That the proxy did not do it.
    fn set_metric(&self, metric: u32, value: u64) -> Result<(), HostError>;
}

/// What a metric is to the proxy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MetricKind {
    /// It only grows.
    Counter,
    /// It goes up and down.
    Gauge,
}

/// What is measured when the proxy is told.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Levels {
    /// How many verified logins are remembered.
    pub(crate) remembered: usize,
    /// How many requests wait for a hash.
    pub(crate) waiting: usize,
    /// How long the first of them has waited, in milliseconds.
    pub(crate) oldest_ms: u64,
    /// How long ago the list of users was fetched that waits longest for a good answer, in seconds.
    pub(crate) fetch_age_seconds: u64,
}

/// The counts that the proxy does not know yet, and what it calls its metrics.
#[derive(Default)]
pub(crate) struct Metrics {
    /// The number of each event, by its index: first of all requests, then of those that each counted rule decided.
    counts: Vec<u32>,
    /// The indexes of the counts that are not zero.
    touched: Vec<usize>,
    /// The proxy's numbers for the counters, in the same order.
    counters: Vec<Metric>,
    /// How many rules are counted, by their slots.
    rules: Vec<Box<str>>,
    remembered: Level,
    waiting: Level,
    oldest: Level,
    fetch_age: Level,
    config: Option<ConfigInForce>,
    /// Whether it was logged that something is not counted.
    is_failure_logged: bool,
}

/// A metric that the proxy may know.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
enum Metric {
    /// It was not defined yet.
    #[default]
    New,
    /// The proxy's number for it.
    Defined(u32),
    /// The proxy does not have it.
    Failed,
}

/// A gauge to which each worker adds its part.
#[derive(Default)]
struct Level {
    metric: Metric,
    /// The part that the proxy was told.
    told: i64,
}

/// What says which configuration is in force.
struct ConfigInForce {
    digest: u32,
    rules: usize,
    threads: Level,
}

impl Metrics {
    /// The counts of a policy.
    pub(crate) fn new(policy: &Policy) -> Self {
        let mut metrics = Self { rules: policy.counted_rules(), ..Self::default() };
        let config = ConfigInForce { digest: policy.digest(), rules: policy.rules(), threads: Level::default() };
        metrics.config = Some(config);
        metrics
    }

    /// Counts a decision for all requests, and for the rule that made it.
    pub(crate) fn count_decision(&mut self, policy: Option<&Policy>, decision: &Decision<'_>) {
        let event = Event::of(decision);
        self.count(event, 1);
        let dry_run = decision.dry_run();
        if let Some(dry_run) = dry_run {
            self.count(Event::DryRun(dry_run.reason), 1);
        }
        if self.rules.is_empty() {
            return;
        }
        self.count_for_rule(policy, decision.rule(), event);
        if let Some(dry_run) = dry_run {
            self.count_for_rule(policy, Some(dry_run.rule), Event::DryRun(dry_run.reason));
        }
    }

    fn count_for_rule(&mut self, policy: Option<&Policy>, rule: Option<usize>, event: Event) {
        if let Some(slot) = rule.and_then(|rule| policy?.counted_slot(rule)) {
            self.add(slot.saturating_add(1).saturating_mul(EVENTS).saturating_add(event.index()), 1);
        }
    }

    /// Counts something so many times.
    pub(crate) fn count(&mut self, event: Event, times: u32) {
        self.add(event.index(), times);
    }

    fn add(&mut self, index: usize, times: u32) {
        if index >= self.counts.len() {
            self.make_room();
        }
        if let Some(count) = self.counts.get_mut(index) {
            if *count == 0 {
                self.touched.push(index);
            }
            *count = count.saturating_add(times);
        }
    }

    /// With the first that is counted: a plugin that is only tried takes no memory for it.
    #[cold]
    fn make_room(&mut self) {
        let all = self.rules.len().saturating_add(1).saturating_mul(EVENTS);
        self.counts.resize(all, 0);
        self.counters.resize(all, Metric::New);
    }

    /// Tells the proxy what was counted and measured since the last time. The first time all counters of requests are
    /// defined, so that one of them that is zero is there to be seen.
    pub(crate) fn report(&mut self, host: &impl MetricHost, levels: Levels) {
        self.count(Event::Passed, 0);
        for index in 0..EVENTS {
            if self.counters.get(index) == Some(&Metric::New) {
                self.counter(host, index);
            }
        }
        self.report_counts(host);
        if let Some(config) = &mut self.config
            && config.threads.told == 0
        {
            let (digest, rules) = (config.digest, config.rules);
            let name = format!("basic_auth.config.{digest:08x}.rules");
            let told = host.define_metric(MetricKind::Gauge, &name);
            let told = told.and_then(|metric| host.set_metric(metric, u64::try_from(rules).unwrap_or(u64::MAX)));
            let named = || format!("basic_auth.config.{digest:08x}.threads");
            let told = told.and_then(|()| config.threads.tell(host, &named, 1));
            self.note(told);
            let Self { remembered, waiting, oldest, .. } = self;
            let levels = [(remembered, REMEMBERED), (waiting, LENGTH), (oldest, OLDEST)];
            let define = |(level, name): (&mut Level, &str)| {
                level.metric.define(host, MetricKind::Gauge, &|| name.to_owned()).map(|_| ())
            };
            let defined = levels.into_iter().try_for_each(define);
            self.note(defined);
        }
        self.report_levels(host, levels);
    }

    /// Takes back what this worker added to the gauges, and tells the rest of the counts: nothing more will come.
    pub(crate) fn close(&mut self, host: &impl MetricHost) {
        if !self.touched.is_empty() {
            self.report_counts(host);
        }
        self.report_levels(host, Levels::default());
        if let Some(mut config) = self.config.take()
            && config.threads.told != 0
        {
            let told = config.threads.tell(host, &String::new, 0);
            self.note(told);
        }
    }

    fn report_counts(&mut self, host: &impl MetricHost) {
        for index in std::mem::take(&mut self.touched) {
            let count = self.counts.get_mut(index).map(std::mem::take).unwrap_or_default();
            if count > 0
                && let Metric::Defined(metric) = self.counter(host, index)
            {
                let told = host.add_to_metric(metric, count.into());
                self.note(told);
            }
        }
    }

    fn report_levels(&mut self, host: &impl MetricHost, levels: Levels) {
        let Self { remembered, waiting, oldest, fetch_age, .. } = self;
        let part = |number: usize| i64::try_from(number).unwrap_or(i64::MAX);
        let told = remembered
            .tell(host, &|| REMEMBERED.to_owned(), part(levels.remembered))
            .and(waiting.tell(host, &|| LENGTH.to_owned(), part(levels.waiting)))
            .and(oldest.tell_age(host, OLDEST, levels.oldest_ms))
            .and(fetch_age.tell_age(host, FETCH_AGE, levels.fetch_age_seconds));
        self.note(told);
    }

    /// The counter at an index, defined if it was not.
    fn counter(&mut self, host: &impl MetricHost, index: usize) -> Metric {
        let Some(event) = Event::all().nth(index.checked_rem(EVENTS).unwrap_or_default()) else {
            return Metric::Failed;
        };
        let rule = index.checked_div(EVENTS).unwrap_or_default().checked_sub(1).and_then(|slot| self.rules.get(slot));
        let name = || match rule {
            Some(rule) => format!("basic_auth.rule.{rule}.{}", event.name()),
            None => format!("basic_auth.{}", event.name()),
        };
        let Some(counter) = self.counters.get_mut(index) else { return Metric::Failed };
        let defined = counter.define(host, MetricKind::Counter, &name);
        let counter = *counter;
        self.note(defined.map(|_| ()));
        counter
    }

    /// Logs the first call that failed: one line says enough, and there may be many.
    pub(crate) fn note(&mut self, told: Result<(), HostError>) {
        if let Err(error) = told
            && !std::mem::replace(&mut self.is_failure_logged, true)
        {
            error!("basic_auth: {error}: the metrics of this worker are not complete");
        }
    }
}

impl Metric {
    /// The proxy's number for it, asked for once; `None` if it did not have one then.
    fn define(
        &mut self,
        host: &impl MetricHost,
        kind: MetricKind,
        name: &dyn Fn() -> String,
    ) -> Result<Option<u32>, HostError> {
        if *self == Self::New {
            // Until the proxy has answered.
            *self = Self::Failed;
            *self = Self::Defined(host.define_metric(kind, &name())?);
        }
        Ok(if let Self::Defined(metric) = self { Some(*metric) } else { None })
    }
}

impl Level {
    /// The age of the oldest, which is no sum: the proxy knows that of the worker that worked last.
    fn tell_age(&mut self, host: &impl MetricHost, name: &str, age: u64) -> Result<(), HostError> {
        let told = i64::try_from(age).unwrap_or(i64::MAX);
        if told != self.told
            && let Some(metric) = self.metric.define(host, MetricKind::Gauge, &|| name.to_owned())?
        {
            host.set_metric(metric, age)?;
            self.told = told;
        }
        Ok(())
    }

    /// Makes this worker's part so large.
    fn tell(&mut self, host: &impl MetricHost, name: &dyn Fn() -> String, part: i64) -> Result<(), HostError> {
        let difference = part.saturating_sub(self.told);
        if difference != 0
            && let Some(metric) = self.metric.define(host, MetricKind::Gauge, name)?
        {
            host.add_to_metric(metric, difference)?;
            self.told = part;
        }
        Ok(())
    }
}
