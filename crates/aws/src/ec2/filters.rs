//! Filters, as every Describe call takes them.

use crate::wire::shape;

shape! {
    /// A filter name and value pair that is used to return a more specific list of results from a describe operation.
    pub struct Filter {
        /// The name of the filter.
        name: Option<String> = "Name",
        /// The filter values.
        values: Vec<String> = "Value",
    }
}
