//! What running the lesson again, with figures to compare, brings to light.

use tallow::Result;
use tallow::cli::Session;

// --- What the source does not say ------------------------------------------------------------------------------------

pub(crate) fn what_the_source_does_not_say(s: &mut Session) -> Result<()> {
    s.section("What the source does not say");
    s.text(
        "
        Running everything again, with figures to compare, brings some things to light.

        - **Pixels without a class.** CamVid's masks have a class `Void` for what nobody labelled. fast.ai's example
          trains and counts it like any other; here such pixels neither train nor count, so the two accuracies differ.
        - **Trees beat the table's network.** On Adult the source's network has 83.4 %, and boosted trees have 87 % in
          published comparisons. `tallow table` always sets trees beside its network.
        - **Biases alone nearly equal the ratings' network.** That a user is kind and a film is popular explains most of
          a rating. Before one believes in factors, the model without them should be measured too.
        - **Cleaning makes it worse, or seems to.** In the source the error rate triples, from 2 mistakes in 109 images
          to 6 in 108. Other images were judged, and so few that chance alone can do that.
        - **One network, several accuracies.** Speeds are measured for networks and accuracies for trained weights. The
          join copies a network's speed to all its weights, and for many of them the images were larger when accuracy
          was measured than when speed was.
        - **The loop adds gradients up.** It happens to help on this loss, for these ten steps. Run on, it swings from
          side to side.
        - **Mean absolute error does not settle.** Its slope does not get smaller near the bottom, as that of the
          squared error does, so a fixed learning rate ends by stepping from one side to the other.
        - **The linear loss in the spreadsheet is the best there is.** 0.14422715 is the least-squares optimum for these
          columns, to the last digit. The lecture's 0.10 must belong to other columns, other rows or
          another loss.
        - **The network in the spreadsheet had a dead unit.** 0.14385956 is the optimum of a single ReLU. With two that
          live, about 0.13 is possible.
        - **None of these losses is measured on new passengers.** All rows are used for fitting. With 10 or 20
          parameters for 712 rows this does little harm, but models should be compared on a validation set, which is the
          subject of the next lesson.
        ",
    );
    Ok(())
}
