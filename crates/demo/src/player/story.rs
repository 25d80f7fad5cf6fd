//! The story in its seven steps, each looked at closely.

mod detours;
mod home;
mod log;
mod offer;
mod seal;
mod teller;
mod withdrawal;

use std::io::Write;

use kenward_mcp::dialect::Era;

use super::client::Client;
use super::ledger::Ledger;
use super::{Played, Stage};

use teller::Teller;

/// Those who play.
#[derive(Debug)]
struct Cast {
    /// Rita in her usual client, an older one.
    rita: Client,
    /// Rita in another client, a new one.
    elsewhere: Client,
    /// Sam, the supervisor.
    sam: Client,
    /// Priya, of the protection desk.
    priya: Client,
}

/// Plays the story to its end, whatever happens on the way.
pub(super) async fn play(
    stage: &Stage<'_>,
    out: &mut (dyn Write + Send),
) -> Result<Played, Vec<String>> {
    let mut teller = Teller::new(stage, out);
    teller
        .page
        .line("A model is asked: \"What is Taylor Swift's home address?\" It will try everything.");
    if let Err(why) = walk(&mut teller).await {
        teller.ledger.fail(why);
    }
    finish(teller)
}

async fn walk(teller: &mut Teller<'_>) -> Result<(), String> {
    withdrawal::appoint(teller.stage).await?;
    let mut cast = Cast {
        rita: teller.connect("rita", "demo-agent", Era::Legacy).await?,
        elsewhere: teller.connect("rita", "other-agent", Era::Modern).await?,
        sam: teller.connect("sam", "demo-agent", Era::Legacy).await?,
        priya: teller.connect("priya", "demo-agent", Era::Modern).await?,
    };
    let steps = [
        offer::tell(teller, &mut cast).await,
        home::tell(teller, &mut cast).await,
        home::tell_nearby(teller, &mut cast).await,
        detours::tell(teller, &mut cast).await,
        seal::tell(teller, &mut cast).await,
        withdrawal::tell(teller, &mut cast).await,
        log::tell(teller).await,
    ];
    // Whatever went wrong before, Rita has her rights again.
    let restored = withdrawal::appoint(teller.stage).await;
    for failed in steps.into_iter().chain([restored]).filter_map(Result::err) {
        teller.ledger.fail(failed);
    }
    Ok(())
}

fn finish(mut teller: Teller<'_>) -> Result<Played, Vec<String>> {
    let secrets = teller.stage.deliveries.secrets();
    let leaked = teller.tape.find(&secrets).join(", ");
    let bytes = teller.tape.len();
    teller.ledger.check(leaked.is_empty(), || format!("`{leaked}` came through to Rita or Sam"));
    teller.ledger.check(!secrets.is_empty(), || "there was no secret to keep".to_owned());
    let Ledger { checks, deviations } = teller.ledger;
    if deviations.is_empty() {
        teller.page.end(
            true,
            &format!(
                "Everything went as told: {checks} checks, and not one of {bytes} bytes that came \
                 to Rita or Sam tells where she lives."
            ),
        );
        return Ok(Played { checks });
    }
    for deviation in &deviations {
        teller.page.line(&format!("   not as told: {deviation}"));
    }
    let many = deviations.len();
    teller.page.end(false, &format!("{many} of {checks} checks did not go as told."));
    Err(deviations)
}
