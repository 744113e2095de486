//! From Cedar policies to a solver's script and back to a request, by Cedar's symbolic compiler.

use std::time::Duration;

use cedar_policy_symcc::err::{Error, SolverError};
use cedar_policy_symcc::solver::{Decision, DecisionWithModel, Solver};
use cedar_policy_symcc::{CedarSymCompiler, CompiledPolicy, CompiledPolicySet, Env, ResetMode, SmtLibScript};
use keywarden_domain::policy::proof::{Claim, Question, Shown, Witness};
use tokio::io::AsyncWrite;

use super::process::Program;

/// Whether a claim holds of every request.
pub(super) async fn show(program: &Program, question: &Question, limit: Duration) -> Shown {
    match ask(program, question, limit).await {
        Ok(None) => Shown::Holds,
        Ok(Some(Env { request, entities })) => Shown::Fails(Box::new(Witness { request, entities })),
        Err(error) => told(&error),
    }
}

/// A request of which the claim does not hold.
async fn ask(program: &Program, question: &Question, limit: Duration) -> Result<Option<Env>, Error> {
    let Question { schema, environment, claim } = question;
    let solver = Once { program: program.clone(), limit, script: Vec::new() };
    let mut compiler = CedarSymCompiler::new(solver)?.with_reset_mode(ResetMode::Comment);
    match claim {
        Claim::Implies { narrow, wide } => {
            let narrow = CompiledPolicySet::compile(narrow, environment, schema)?;
            let wide = CompiledPolicySet::compile(wide, environment, schema)?;
            compiler.check_implies_with_counterexample_opt(&narrow, &wide).await
        }
        Claim::NeverFails(policy) => {
            let policy = CompiledPolicy::compile(policy, environment, schema)?;
            compiler.check_never_errors_with_counterexample_opt(&policy).await
        }
    }
}

/// In words for people: what the crate says goes to the log. Nobody knows what the solver does not; where it gave no answer that is
/// one, nothing was run.
fn told(error: &Error) -> Shown {
    tracing::info!(%error, "a claim about policies was neither shown nor refuted");
    let unknown = |why: &str| Shown::Unknown(why.to_owned());
    let not_run = |why: &str| Shown::NotRun(why.to_owned());
    match error {
        Error::SolverUnknown => unknown("the solver does not know"),
        Error::SolverError(SolverError::UnrecognizedSolverOutput(_)) => {
            not_run("the solver answered something else than it should")
        }
        Error::SolverError(_) => not_run("the solver could not be run to its end"),
        Error::DecodeModel(_) | Error::ConcretizeError(_) | Error::ModelInvalid { .. } => {
            not_run("the solver found a request that could not be read")
        }
        Error::CompileError(cause) => {
            Shown::Unknown(format!("the symbolic compiler does not know this: {cause}"))
        }
        other => Shown::NotRun(format!("the symbolic compiler failed: {other}")),
    }
}

/// A solver that is started for each question and reads it whole.
#[derive(Debug)]
struct Once {
    program: Program,
    limit: Duration,
    script: Vec<u8>,
}

impl Once {
    /// What it answers: the first line, and everything after that.
    async fn answer(&mut self, asked: &str) -> Result<(Decision, String), SolverError> {
        let mut script = std::mem::take(&mut self.script);
        script.extend_from_slice(asked.as_bytes());
        let millis = self.limit.as_millis().to_string();
        let said = self.program.run(&["--lang", "smt", "--tlimit", &millis], &script, self.limit).await?;
        let (first, rest) = said.split_once('\n').unwrap_or((&said, ""));
        let decision = match first.trim() {
            "sat" => Decision::Sat,
            "unknown" => Decision::Unknown,
            "unsat" => Decision::Unsat,
            other => {
                let start: String = other.chars().filter(|it| !it.is_control()).take(200).collect();
                return Err(SolverError::UnrecognizedSolverOutput(start));
            }
        };
        Ok((decision, rest.to_owned()))
    }
}

impl Solver for Once {
    fn smtlib_input(&mut self) -> &mut (dyn AsyncWrite + Unpin + Send) {
        &mut self.script
    }

    async fn enable_models(&mut self) -> Result<(), SolverError> {
        Ok(self.smtlib_input().set_option("produce-models", "true").await?)
    }

    async fn check_sat(&mut self) -> Result<Decision, SolverError> {
        Ok(self.answer("(check-sat)\n").await?.0)
    }

    // After `unsat` there is no model, and what the solver says of that is not read.
    async fn check_sat_with_model(&mut self) -> Result<DecisionWithModel, SolverError> {
        match self.answer("(check-sat)\n(get-model)\n").await? {
            (Decision::Sat, model)
                if model.trim_start().starts_with('(') && model.trim_end().ends_with(')') =>
            {
                Ok(DecisionWithModel::Sat { model })
            }
            (Decision::Sat, _) => {
                Err(SolverError::UnrecognizedSolverOutput("a model that is cut off".to_owned()))
            }
            (Decision::Unknown, _) => Ok(DecisionWithModel::Unknown),
            (Decision::Unsat, _) => Ok(DecisionWithModel::Unsat),
        }
    }
}
