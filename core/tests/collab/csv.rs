//! What CSV files of ratings may hold, and what is wrong with others.

use std::path::Path;
use std::sync::{Arc, Mutex};
use tallow::data::{CollabDataLoaders, RatingsBlock, Show, Shown};
use tallow::event::{Event, Listener};
use tallow::interpret::show_batch;

fn written(folder: &Path, text: &str) -> RatingsBlock {
    let file = folder.join("ratings.csv");
    std::fs::write(&file, text).unwrap();
    RatingsBlock::csv(file)
}

#[test]
fn columns_ids_and_titles() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("titles.csv");
    std::fs::write(&file, "id;name\n10;Ten\n9;\"Nine; lives\"\n77;None such\n").unwrap();
    let text = "stars,who,what\n3,ann,10\n4,bob,9\n1,ann,9\n5,cid,10\n2,dan,8\n4,bob,9\n";
    let notes: Arc<Mutex<Vec<String>>> = Arc::default();
    let told = notes.clone();
    let listener = Listener::new(move |event: Event<'_>| {
        if let Event::Note(note) = event {
            told.lock().unwrap().push(note.to_string());
        }
    });
    let block = written(folder.path(), text).user("who").item("what").rating("stars").titles(&file);
    let dls = block.valid_where(|row| row == 4).listener(listener).dataloaders(2).unwrap();
    assert_eq!(dls.users().ids(), ["#na#", "ann", "bob", "cid"]);
    assert_eq!(dls.items().ids(), ["#na#", "9", "10"]);
    assert_eq!((dls.items().name(1), dls.items().name(2), dls.items().name(0)), ("Nine; lives", "Ten", "#na#"));
    let shown = dls.train.decoded(5).to_string();
    assert!(shown.starts_with("who  what") && shown.contains("Nine; lives"), "{shown}");
    assert!(matches!(dls.valid.shown(1).unwrap(), Shown::Table(table) if table.rows[0] == ["#na#", "#na#", "2"]));
    assert!(show_batch(&dls.train, 3).unwrap().svg().unwrap().contains("Ten"));
    let notes = notes.lock().unwrap().join("\n");
    for words in ["user bob the item 9 in lines 3 and 7", "1 are by users and 1 of items that no training row has"] {
        assert!(notes.contains(words), "no `{words}` in {notes}");
    }
}

#[test]
fn columns_are_known_by_their_names_and_told() {
    let folder = tempfile::tempdir().unwrap();
    let notes: Arc<Mutex<Vec<String>>> = Arc::default();
    let told = notes.clone();
    let listener = Listener::new(move |event: Event<'_>| {
        if let Event::Note(note) = event {
            told.lock().unwrap().push(note.to_string());
        }
    });
    let rows = |n: usize| (0..20).map(move |i| (i % n, i % 3, 1 + i % 5));
    let swapped: String = rows(7).map(|(user, item, rating)| format!("{rating},u{user},{item}\n")).collect();
    let block = written(folder.path(), &format!("rating,user,item\n{swapped}")).listener(listener.clone());
    let dls = block.y_range_around().dataloaders(4).unwrap();
    assert_eq!((dls.users().column(), dls.items().len(), dls.y_range()), ("user", 4, Some((1.0, 5.4))));
    let timed: String =
        rows(7).map(|(user, item, rating)| format!("{user},{item},96498270{user},{rating}\n")).collect();
    let block = written(folder.path(), &format!("userId,movieId,timestamp,rating\n{timed}")).listener(listener.clone());
    assert_eq!(block.clone().y_range_around().dataloaders(4).unwrap().y_range(), Some((1.0, 5.4)));
    let titles = folder.path().join("titles.csv");
    std::fs::write(&titles, "movieId,title\n0,Toy\n1,Car\n0,Ted\n1,Car\n").unwrap();
    let dls = block.user("userId").item("movieId").rating("rating").titles(&titles).dataloaders(4).unwrap();
    assert_eq!(dls.items().name(1), "Ted");
    let notes = notes.lock().unwrap();
    let taken: Vec<&String> = notes.iter().filter(|note| note.contains("takes the column")).collect();
    assert_eq!(taken.len(), 2, "{notes:?}");
    assert!(taken[0].ends_with(
        "ratings.csv: takes the column `user` as user (by its name), `item` as item (by its name), `rating` as rating \
         (by its name); name them if they are others"
    ));
    let other = "1 row gives an item another title, such as movieId 0 `Toy` in line 2 and `Ted` in line 4";
    assert!(notes.iter().any(|note| note.contains(other)), "{notes:?}");
}

#[test]
fn a_side_is_random_or_in_a_column() {
    let folder = tempfile::tempdir().unwrap();
    let rows: String = (0..50).map(|i| format!("{},{},{}.5,{}\n", i % 7, i % 11, i % 5, u8::from(i < 5))).collect();
    let block = || written(folder.path(), &format!("u,i,r,is_valid\n{rows}"));
    let places = |dls: &CollabDataLoaders| dls.valid.dataset().places().to_vec();
    let random = block().seed(1).dataloaders(8).unwrap();
    assert_eq!(random.valid.n_items(), 10);
    assert_ne!(places(&random), places(&block().seed(2).dataloaders(8).unwrap()));
    assert_eq!(places(&block().valid_column("is_valid").dataloaders(8).unwrap()), [0, 1, 2, 3, 4]);
    assert_eq!(block().valid_pct(0.5).dataloaders(8).unwrap().valid.n_items(), 25);
    let file = folder.path().join("ratings.csv");
    assert_eq!(CollabDataLoaders::from_csv(file, 8).unwrap().train.n_items(), 40);
}

#[test]
fn what_is_wrong_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let fails = |text: &str, change: &dyn Fn(RatingsBlock) -> RatingsBlock, words: &[&str]| {
        let error = change(written(folder.path(), text)).dataloaders(4).err().unwrap().to_string();
        words.iter().for_each(|word| assert!(error.contains(word), "no `{word}` in {error}"));
    };
    let same = |block: RatingsBlock| block;
    fails("", &same, &["ratings.csv", "empty"]);
    fails("u,i,r\n", &same, &["ratings.csv", "no rows"]);
    fails("u,i\n1,2\n", &same, &["u, i", "column of the rating"]);
    fails("u,i,r\n1,2,3\n1,3,good\n", &same, &["line 3", "column `r`", "`good` is not a number"]);
    fails("u,i,r\n1,2,3\n1,3,\n", &same, &["line 3", "column `r`", "missing"]);
    fails("u,i,r\n1,2,3\n,3,1\n", &same, &["line 3", "column `u`", "user is missing"]);
    fails("u,i,r\n1,NA,3\n", &same, &["line 2", "column `i`", "item is missing"]);
    fails(
        "u,i,r\n1,2,3\n1,3,6.0\n",
        &|b| b.y_range(0.5, 5.5),
        &["line 3", "column `r`", "6.0 is outside", "0.5 to 5.5"],
    );
    fails("u,i,r\n1,2,3\n1,3,1e300\n", &RatingsBlock::y_range_around, &["line 3", "column `r`", "1e300 is too large"]);
    fails("u,i,r\n1,2,3\n1,3,3.0\n2,2,3\n", &same, &["ratings.csv", "one value only, 3, in its ratings `r`"]);
    fails("when,user,dish,stars\n1,2,3,4\n", &same, &["when, user, dish, stars", "name the column of the item"]);
    fails("u,i,r\n1,2,3\n1,3,6\n", &|b| b.y_range(5.5, 0.5), &["5.5 to 0.5"]);
    fails("u,i,r\n1,2,3\n1,3,6\n", &|b| b.item("film"), &["no column `film`", "u, i, r"]);
    fails("u,i,r\n1,2,3\n1,3,6\n", &|b| b.item("u"), &["`u` cannot be both user and item"]);
    fails("u,i,r\n1,2,3\n1,3,6\n", &|b| b.valid_where(|_| false), &["validate on"]);
    fails("u,i,r\n1,2,3,4\n", &same, &["line 2", "4 cells"]);
    let error = RatingsBlock::csv(folder.path().join("none.csv")).dataloaders(4).err().unwrap().to_string();
    assert!(error.contains("none.csv"), "{error}");
    let ratings = "u,i,r\n1,2,3\n1,3,6\n2,2,2\n3,3,4\n3,2,4\n";
    fails(ratings, &|b| b.titles(folder.path().join("films.csv")), &["films.csv"]);
}
