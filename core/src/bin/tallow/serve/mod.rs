//! `tallow serve`: models behind a web address, with a page and an interface for programs.

mod body;
mod examples;
mod masks;
mod metrics;
mod open;
mod photos;
mod queue;
mod ratings;
mod routes;
mod rows;
mod served;
mod texts;

use crate::say;
use crate::web::{self, Guard};
use queue::Queue;
use served::Served;
use std::collections::BTreeMap;
use std::net::{IpAddr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;
use tallow::vision::Limits;
use tallow::{Error, Result};

#[derive(Debug, clap::Args)]
#[command(after_help = "Addresses:\n  \
                  /                      a page: an image to drop, paste, pick or photograph, a text, a table's row\n  \
                  POST /api/predict      an image, a text or JSON, as the model needs it; JSON comes back\n  \
                  POST /api/explain      what decides: a picture of where the class was found (Grad-CAM), or of the \
                  mask over the photo; for texts JSON with what each word does\n  \
                  POST /api/mask         a photo; a PNG of the numbers of the classes comes back\n  \
                  POST /api/similar      a photo; those of `--similar FOLDER` that look most like it\n  \
                  /api/models            the models, their classes and columns\n  \
                  /openapi.json          all of that for programs\n  \
                  /healthz, /metrics     for those who look after it; the latter as Prometheus reads it\n\n\
                  `curl --data-binary @cat.jpg http://127.0.0.1:8080/api/predict`\n\n\
                  No request is kept, and no file written but the index of `--similar`. Only this machine is answered, \
                  unless `--host` says otherwise. SIGTERM and Ctrl-C let requests that are at work end first.")]
pub(crate) struct Args {
    /// Folders of runs of `tallow train`, `segment`, `table`, `text` or `ratings`, or the models in them; several are
    /// told apart by their folders' names
    #[arg(required = true, value_name = "MODEL")]
    models: Vec<PathBuf>,

    /// The address to listen at: 0.0.0.0 lets other machines in
    #[arg(long, default_value = "127.0.0.1", value_name = "ADDRESS")]
    host: IpAddr,

    /// The port to listen at; 0 for a free one
    #[arg(long, default_value_t = 8080, value_name = "PORT")]
    port: u16,

    /// Answer only requests with `Authorization: Bearer TOKEN`; the page is opened as http://...#token=TOKEN
    #[arg(long, env = "TALLOW_TOKEN", value_name = "TOKEN", hide_env_values = true)]
    token: Option<String>,

    /// Other names by which this machine is called, such as example.org; a request to any other name is refused
    #[arg(long, value_name = "NAME")]
    name: Vec<String>,

    /// A folder of images that the page offers to try, twelve at most
    #[arg(long, value_name = "FOLDER")]
    examples: Option<PathBuf>,

    /// A folder in which the first model of photos looks for photos like the one that is shown, as `tallow similar`
    /// does; its index is brought up to date at the start, and those who use the page see these photos
    #[arg(long, value_name = "FOLDER")]
    similar: Option<PathBuf>,

    /// Requests that may wait; further ones are told to come again
    #[arg(long, default_value_t = 128, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    queue: u16,

    /// Requests that are computed together when they wait
    #[arg(long, default_value_t = 16, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=256))]
    batch: u16,

    /// Megabytes that an image's file, or another request, may have
    #[arg(long, default_value_t = 20, value_name = "MB", value_parser = clap::value_parser!(u16).range(1..))]
    max_megabytes: u16,

    /// Millions of pixels that an image may have
    #[arg(long, default_value_t = 50, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    max_megapixels: u16,

    /// Seconds within which a request must have arrived
    #[arg(long, default_value_t = 20, value_name = "SECONDS", value_parser = clap::value_parser!(u16).range(1..))]
    timeout: u16,

    /// Connections at the same time
    #[arg(long, default_value_t = 256, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    connections: u16,

    /// Where to compute: auto, cpu, cuda, cuda:N or metal
    #[arg(long, env = "TALLOW_DEVICE", default_value = "auto", value_name = "DEVICE")]
    device: String,
}

/// What the server is made of.
struct Server {
    models: BTreeMap<String, Arc<dyn Served>>,
    /// The model of requests that name none: the first on the command line.
    first: String,
    queue: Queue,
    guard: Guard,
    examples: Vec<examples::Example>,
    metrics: Arc<metrics::Metrics>,
    max_bytes: usize,
    timeout: Duration,
}

/// Answers until it is asked to stop.
pub(crate) fn run(args: &Args) -> Result<()> {
    let max_pixels = u64::from(args.max_megapixels) * 1_000_000;
    let limits = Limits { max_pixels, ..Limits::default() };
    let mut models: BTreeMap<String, Arc<dyn Served>> = BTreeMap::new();
    let (mut first, mut similar) = (None, args.similar.as_deref());
    for folder in &args.models {
        let name = name_of(folder);
        let model = Arc::from(open::open(folder, &args.device, limits, &mut similar)?);
        if models.insert(name.clone(), model).is_some() {
            let what = format!("two models are called `{name}`: rename the folder of one");
            return Err(Error::Usage(what));
        }
        first.get_or_insert(name);
    }
    if similar.is_some() {
        return Err(Error::Usage("`--similar` needs a model of photos, one of `tallow train`".into()));
    }
    let metrics = Arc::new(metrics::Metrics::default());
    let queue = Queue::start(args.queue.into(), args.batch.into(), metrics.clone());
    let examples = args.examples.as_deref().map(examples::read).transpose()?.unwrap_or_default();
    let server = Server {
        models,
        first: first.unwrap_or_default(),
        queue,
        guard: Guard::new(args.token.as_deref(), &args.name),
        examples,
        metrics,
        max_bytes: usize::from(args.max_megabytes) << 20,
        timeout: Duration::from_secs(args.timeout.into()),
    };
    let runtime = web::runtime()?;
    let address = SocketAddr::new(args.host, args.port);
    if !args.host.is_loopback() && args.token.is_none() {
        eprintln!("note: anybody who can reach {address} may use these models; `--token` asks for a password");
    }
    let timeout = server.timeout;
    let routes = routes::routes(Arc::new(server));
    let listening = |address| say(format!("listening at http://{address}"));
    runtime.block_on(web::listen(routes, address, args.connections.into(), timeout, listening))?;
    runtime.shutdown_timeout(Duration::from_secs(1));
    Ok(())
}

/// The name of a model: that of its folder, or of the run around it.
fn name_of(folder: &Path) -> String {
    let real = folder.canonicalize().unwrap_or_else(|_| folder.to_path_buf());
    let name = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    match name(&real) {
        plain if plain == "model" => real.parent().map(name).filter(|name| !name.is_empty()).unwrap_or(plain),
        other => other,
    }
}
