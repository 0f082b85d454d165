//! Listings, to their end. A listing that is cut short looks like a world with less in it, so it is an error.

use std::collections::HashSet;

use super::Client;
use super::Error;
use crate::ebs;
use crate::ec2;
use crate::ssm;
use crate::wire::Operation;

/// More pages than any listing of an account has.
const MAX_PAGES: usize = 10_000;

/// An operation that answers page by page.
pub trait Paged: Operation {
    /// The token that asks for the next page; `None` at the end.
    fn next_token(answer: &Self::Answer) -> Option<&str>;
    /// Asks for the page of `token`.
    fn set_token(&mut self, token: String);
}

impl Client {
    /// Every page of the listing. A page may be empty; only a missing token ends it.
    ///
    /// # Errors
    /// As [`Client::send`], and [`Error::Endless`].
    pub async fn send_all<P: Paged>(&self, mut request: P) -> Result<Vec<P::Answer>, Error> {
        let mut pages: Vec<P::Answer> = Vec::new();
        let mut seen = HashSet::new();
        loop {
            let page = self.send(request.clone()).await?;
            let token = P::next_token(&page).filter(|token| !token.is_empty()).map(str::to_owned);
            pages.push(page);
            let Some(token) = token else { return Ok(pages) };
            if pages.len() >= MAX_PAGES || !seen.insert(token.clone()) {
                return Err(Error::Endless { action: P::ACTION, pages: pages.len() });
            }
            request.set_token(token);
        }
    }
}

macro_rules! paged {
    ($($request:ty),* $(,)?) => {$(
        impl Paged for $request {
            fn next_token(answer: &Self::Answer) -> Option<&str> {
                answer.next_token.as_deref()
            }
            fn set_token(&mut self, token: String) {
                self.next_token = Some(token);
            }
        }
    )*};
}

paged!(
    ec2::DescribeImagesRequest,
    ec2::DescribeInstanceStatusRequest,
    ec2::DescribeInstanceTypeOfferingsRequest,
    ec2::DescribeInstanceTypesRequest,
    ec2::DescribeInstancesRequest,
    ec2::DescribeSecurityGroupsRequest,
    ec2::DescribeSnapshotsRequest,
    ec2::DescribeSpotPriceHistoryRequest,
    ec2::DescribeSubnetsRequest,
    ec2::DescribeTagsRequest,
    ec2::DescribeVolumesRequest,
    ec2::DescribeVpcsRequest,
    ebs::ListSnapshotBlocksRequest,
    ebs::ListChangedBlocksRequest,
    ssm::GetParametersByPathRequest,
    ssm::GetParameterHistoryRequest,
);
