//! How the jobs' runs went, as Prometheus sees it.

use std::fmt;

use keywarden_jobs::{Report, Reports};
use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeLabelSet, NoLabelSet},
    metrics::MetricType,
};

/// Reads the reports whenever somebody asks.
#[derive(Debug)]
pub(super) struct JobMetrics(pub(super) Reports);

#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Job {
    job: &'static str,
}

impl Collector for JobMetrics {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let reports = self.0.now();
        let mut counted = |name, help, pick: fn(&Report) -> u64| {
            let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Counter)?;
            reports.iter().try_for_each(|(job, report)| {
                let labels = Job { job };
                metric.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&pick(report), None)
            })
        };
        counted("job_runs", "Runs of a job that ended well", |report| report.done)?;
        counted("job_failures", "Runs of a job that failed", |report| report.failed)?;
        let mut gauged = |name, help, pick: fn(&Report) -> Option<f64>| {
            let mut metric = encoder.encode_descriptor(name, help, None, MetricType::Gauge)?;
            reports
                .iter()
                .filter_map(|(job, report)| Some((Job { job }, pick(report)?)))
                .try_for_each(|(labels, value)| metric.encode_family(&labels)?.encode_gauge(&value))
        };
        gauged("job_last_run_seconds", "How long the last run of a job took", |report| {
            Some(report.took.as_secs_f64())
        })?;
        gauged("job_last_done_timestamp_seconds", "When a job last ended well", |report| {
            let at = report.last_done?.timestamp();
            Some(u32::try_from(at).map_or(f64::MAX, f64::from))
        })
    }
}
