//! The questions that the lecture asks its listeners.

use tallow::Result;
use tallow::cli::Session;

// --- 9. Questions ----------------------------------------------------------------------------------------------------

pub(crate) fn questions(s: &mut Session) -> Result<()> {
    s.section("The lecture's questions");
    s.text(
        "
        The lecture asks, and leaves the answers to its listeners. Answer first, then read on.

        **18.1** is about the lecture before, on text. Which are true? (A) Word2vec embeddings can represent texts for
        classification instead of bags of words. (B) Latent Dirichlet Allocation (LDA) is unsupervised. (C) In an LDA
        model one word can have a high probability in two topics. (D) In an LDA model a document is a mixture of topics.
        (E) A model trained on news with K = 10 outputs ten topic labels, such as *sports*.

        **18.2** Which are true? (A) One-vs.-one uses all the data to train each of its classifiers. (B) With 100
        classes, one-vs.-rest makes 100 classifiers.

        **And on the way:** can decision trees, random forests or nearest neighbours classify the images of ImageNet?
        ",
    );
    let answer = |question: &str, answer: &str, why: &str| vec![question.into(), answer.into(), why.into()];
    s.table(
        &["question", "answer", "why"],
        &[
            answer("18.1 A", "true", "average the vectors of a text's words, and classify that"),
            answer("18.1 B", "true", "it is given texts and a number of topics, and no labels"),
            answer("18.1 C", "true", "every topic is a distribution over all words; `bank` can be high in two"),
            answer("18.1 D", "true", "each document has a distribution over topics"),
            answer("18.1 E", "false", "it outputs ten distributions over words; the names are given by people"),
            answer("18.2 A", "false", "each sees its two classes only: see the table of pairs above"),
            answer("18.2 B", "true", "one for each class; one-vs.-one would make 4,950"),
            answer(
                "trees, forests",
                "hardly",
                "a split looks at one pixel, and one pixel says next to nothing of a class",
            ),
            answer(
                "neighbours",
                "hardly",
                "photos of one thing are far apart as rows of pixels: see the flattened photos below",
            ),
        ],
    );
    Ok(())
}
