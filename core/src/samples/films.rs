//! Ratings that are drawn from known factors.

use super::Sample;
use crate::rng::Rng;

/// How ratings are made: `3.3 + user's bias + film's bias + user's taste · film's character + noise`, rounded to half
/// stars from 0.5 to 5. Tastes and characters are pairs of numbers: how serious, and how loud.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct RatingRule {
    /// How many people rate.
    pub n_users: usize,
    /// How many films there are; they are of four kinds, in equal numbers.
    pub n_films: usize,
    /// How many films each person rates.
    pub per_user: usize,
    /// The standard deviation of the noise.
    pub noise: f64,
}

impl Default for RatingRule {
    /// 12,000 ratings: 300 people rate 40 of 120 films each.
    fn default() -> RatingRule {
        RatingRule { n_users: 300, n_films: 120, per_user: 40, noise: 0.35 }
    }
}

/// The kinds of films and their characters: serious or funny, loud or quiet.
const KINDS: [(&str, [f64; 2]); 4] = [
    ("Quiet drama", [1.0, -1.0]),
    ("War film", [1.0, 1.0]),
    ("Gentle comedy", [-1.0, -1.0]),
    ("Slapstick", [-1.0, 1.0]),
];

const MEAN: f64 = 3.3;
const BIAS_STD: f64 = 0.35;
const TASTE_STD: f64 = 0.5;

/// Made ratings whose rule is known, so that one can see whether a learner finds it: `ratings.csv` with the columns
/// `user`, `film` and `rating`, and `films.csv` with `film` and `title`. A film's title says its kind, which no learner
/// of ratings is told.
pub fn film_ratings(rule: RatingRule, seed: u64) -> Sample {
    let rng = Rng::new(seed).stream("film_ratings");
    let mut draw = rng.stream("films");
    let films: Vec<Film> = (0..rule.n_films)
        .map(|number| {
            let (kind, character) = KINDS[number % KINDS.len()];
            let character = character.map(|side| side + 0.3 * draw.normal());
            let title = format!("{kind} {}", number / KINDS.len() + 1);
            // Some films are seen by many, most by few.
            let popularity = draw.uniform(0.1, 1.0).powi(2);
            Film { title, character, bias: BIAS_STD * draw.normal(), popularity }
        })
        .collect();
    let mut ratings = String::from("user,film,rating\n");
    for user in 0..rule.n_users {
        let mut draw = rng.stream("users").substream(user as u64);
        let (bias, taste) = (BIAS_STD * draw.normal(), [(); 2].map(|()| TASTE_STD * draw.normal()));
        for film in seen(&films, rule.per_user, &mut draw) {
            let Film { character, bias: of_film, .. } = &films[film];
            let liking = taste[0] * character[0] + taste[1] * character[1];
            let stars = MEAN + bias + of_film + liking + rule.noise * draw.normal();
            let stars = (2.0 * stars).round().clamp(1.0, 10.0) / 2.0;
            ratings.push_str(&format!("{},{},{stars:.1}\n", user + 1, film + 1));
        }
    }
    let titles = films.iter().enumerate().map(|(i, film)| format!("{},{}\n", i + 1, film.title));
    let titles = std::iter::once("film,title\n".to_string()).chain(titles).collect::<String>();
    let about = format!(
        "Made ratings, from half a star to five: {MEAN} + the person's bias + the film's bias + taste times character \
         + noise of {}. Tastes and characters have two sides, serious or funny and loud or quiet; titles tell a \
         film's.",
        rule.noise
    );
    Sample { about, files: vec![("ratings.csv".into(), ratings.into()), ("films.csv".into(), titles.into())] }
}

struct Film {
    title: String,
    character: [f64; 2],
    bias: f64,
    popularity: f64,
}

/// Which films a person has seen: drawn without replacement, popular ones first (Efraimidis and Spirakis, 2006).
fn seen(films: &[Film], n: usize, rng: &mut Rng) -> Vec<usize> {
    let mut keys: Vec<(f64, usize)> = films
        .iter()
        .enumerate()
        .map(|(i, film)| (libm::log(1.0 - rng.uniform(0.0, 1.0)) / film.popularity, i))
        .collect();
    keys.sort_by(|a, b| b.0.total_cmp(&a.0));
    let mut seen: Vec<usize> = keys.into_iter().take(n).map(|(_, film)| film).collect();
    seen.sort_unstable();
    seen
}
