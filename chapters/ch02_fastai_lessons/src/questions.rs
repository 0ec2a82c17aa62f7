//! Questions about lesson 3, with answers, and what the source does not say.

use tallow::Result;
use tallow::cli::Session;

/// Questions and answers.
const QUESTIONS: [(&str, &str); 14] = [
    (
        "Why start a project with a small network such as ResNet-18?",
        "It trains fast, so that you can try many things that matter more: data augmentation, cleaning, other data. A \
         better architecture is the last thing to try. Looking for the most accurate network first is the most common \
         mistake of beginners.",
    ),
    (
        "How do you know whether you have enough data?",
        "You train a model and see. Train the first one on the first day, with whatever data you can put together. \
         Most projects in industry wait far too long with it.",
    ),
    (
        "What do `in22` and `1k` mean in the name of a timm model?",
        "The data that it was trained with: ImageNet with its 22,000 classes, and ImageNet with 1,000.",
    ),
    (
        "What does a machine-learning model do, in one sentence?",
        "It fits a function to data: it has parameters, and they are changed until the function's values are close to \
         those that were measured.",
    ),
    (
        "What is a loss function, and what makes a good one?",
        "A number that says how bad the predictions are. It should get smaller for every small improvement of the \
         parameters; the mean absolute error and the mean squared error do.",
    ),
    (
        "What does the derivative of the loss by a parameter tell you?",
        "Whether the loss rises or falls when the parameter grows, and by how much for each unit, as long as the slope \
         stays the same. If it is negative, a larger parameter means a smaller loss.",
    ),
    (
        "Why is the gradient multiplied by a small number?",
        "The slope holds only near the point where it was computed. The learning rate keeps the step short. If it is \
         too large, the loss diverges; if it is too small, training takes too long.",
    ),
    (
        "Why are the parameters updated inside of `torch.no_grad()` in PyTorch, and where is it here?",
        "PyTorch records every operation on the parameters for the next backward pass, and an update is no part of the \
         loss. In candle, `Var::set` replaces a variable's value and records nothing.",
    ),
    (
        "What happens in PyTorch if a training loop never calls `zero_grad`?",
        "Every new gradient is added to the sum of the old ones. Steps get longer and point partly in directions that \
         were right long ago. The source's own loop has this slip, and its printed gradient of -13.4260 is the sum of \
         eleven.",
    ),
    ("What is a rectified linear unit?", "max(m x + b, 0): a line that is replaced by zero where it is negative."),
    (
        "Why do you need the ReLU between two linear layers?",
        "Without it, a linear function of a linear function is again a linear function, and any number of layers is no \
         better than one. With it, corners appear, and enough corners follow any curve.",
    ),
    (
        "How is a category with three values turned into numbers?",
        "Into two columns of zeros and ones, the **dummy variables**. The third value is where both are zero. A third \
         column would add nothing: the three would always sum to the column of ones.",
    ),
    (
        "Why does the spreadsheet have a column of ones?",
        "Its parameter is the constant of the model. With it, the constant needs no special treatment: it is one more \
         product in the sum.",
    ),
    (
        "What is a matrix product, in terms of a spreadsheet?",
        "Many `SUMPRODUCT`s at once: the cell in row i and column j is the sum of the products of row i of the first \
         matrix and column j of the second.",
    ),
];

// --- Questionnaire ----------------------------------------------------------------------------------------------------

pub(crate) fn questions_and_answers(s: &mut Session) -> Result<()> {
    s.section("Questionnaire");
    s.text(
        "
        The lesson has no questionnaire of its own; that of the book's fourth chapter is in chapter 4 of this workspace.
        These questions follow the notes of the lecture. Answer first, then open.
        ",
    );
    for (question, answer) in QUESTIONS {
        s.fold(question, answer);
    }
    s.say(format!("{} questions, with answers on the page", QUESTIONS.len()));

    s.section("What the source does not say");
    s.text(
        "
        Running everything again, with figures to compare, brings some things to light.

        - **One network, several accuracies.** Speeds are measured for networks and accuracies for trained weights. The
          join copies a network's speed to all its weights, and for many of them the images were larger when accuracy
          was measured than when speed was.
        - **The loop adds gradients up.** It happens to help on this loss, for these ten steps. Run on, it swings from
          side to side.
        - **Mean absolute error does not settle.** Its slope does not get smaller near the bottom, as that of the squared
          error does, so a fixed learning rate ends by stepping from one side to the other.
        - **The linear loss in the spreadsheet is the best there is.** 0.14422715 is the least-squares optimum for these
          columns, to the last digit. The lecture's 0.10 must belong to other columns, other rows or
          another loss.
        - **The network in the spreadsheet had a dead unit.** 0.14385956 is the optimum of a single ReLU. With two that
          live, about 0.13 is possible.
        - **None of these losses is measured on new passengers.** All rows are used for fitting. With 11 or 20 parameters
          for 712 rows little harm is done, but the comparison of models belongs on a validation set, which is the subject
          of the next lesson.
        ",
    );
    Ok(())
}
