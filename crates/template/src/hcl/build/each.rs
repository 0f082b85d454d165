//! The blocks within a block, with the dynamic ones unfolded.

use crate::go::Fault;
use crate::hcl::body;
use crate::hcl::config::Block;
use crate::hcl::config::Body;
use crate::hcl::eval::Eval;
use crate::hcl::eval::Frame;
use crate::nearest::did_you_mean;

/// Calls `visit` with every nested block in order; `dynamic` ones are unfolded.
pub(super) fn each(eval: &Eval<'_>, body: &Body, kinds: &[&str], visit: &mut dyn FnMut(&Eval<'_>, &str, &Block)) {
    for block in &body.blocks {
        if block.kind != "dynamic" {
            visit(eval, &block.kind, block);
        } else if let Err(fault) = unfold(eval, block, kinds, visit)
            && let Some(values) = eval.values
        {
            values.report(fault);
        }
    }
}

fn unfold(
    eval: &Eval<'_>,
    block: &Block,
    kinds: &[&str],
    visit: &mut dyn FnMut(&Eval<'_>, &str, &Block),
) -> Result<(), Fault> {
    if !kinds.contains(&block.label(0)) {
        let span = block.labels.first().map_or(&block.kind_span, |label| &label.span);
        let help = did_you_mean(block.label(0), kinds.iter().copied())
            .or_else(|| Some(format!("there are {}", kinds.join(", "))));
        return Err(Fault::new(span, format!("there is no block `{}` here", block.label(0))).with_help(help));
    }
    let dynamic = body::Dynamic::read(eval, block)?;
    for value in &dynamic.values {
        let frame = Frame { name: dynamic.iterator, value: value.clone(), outer: eval.frame };
        let inner = Eval { frame: Some(&frame), ..*eval };
        let mut content = dynamic.content.clone();
        content.kind = block.label(0).to_owned();
        content.labels = dynamic.labels(&inner, block)?;
        visit(&inner, block.label(0), &content);
    }
    Ok(())
}
