//! A blob that is asked for before its image. A node that holds an index and its image, but not every layer, asks for the
//! index with HEAD and then for layers alone; so the images that lately admitted indexes list are read when a blob is
//! asked for that nothing is known to list, and not before.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::nested::indexes;
use super::parents::too_many;
use super::{Ask, PullError, Puller};
use crate::admission::{Admitted, admit_member};
use crate::membership::Known;
use crate::oci::{Image, Manifest};
use crate::reason::Class;
use crate::upstream::UpstreamError;

impl Puller {
    /// Records what the images list that are listed by the indexes admitted lately in the repository `image`, each index
    /// once in a while.
    ///
    /// # Errors
    /// What keeps it open whether one of them lists a blob.
    pub(super) async fn expand(&self, ask: &mut Ask, image: &Image) -> Result<(), PullError> {
        let Known { parents: indexes, doubt } = self.membership.indexes(image).await;
        let (mut reads, mut open) = (CHILDREN, doubt.map(PullError::from));
        for index in indexes {
            let index = image.at(index.digest);
            if self.expanded.get(&index).await.is_some() {
                continue;
            }
            if self.is_spent(ask, &index).await {
                return Err(too_many());
            }
            match Box::pin(self.admitted(ask, &index, None, 1)).await {
                // However often it is asked for: those after it may be smaller.
                Ok(admitted) if admitted.content().listed().len() > CHILDREN => {
                    open = Some(too_many());
                    continue;
                }
                Ok(admitted) => self.expand_one(ask, image, &admitted, &mut reads).await?,
                Err(why) if why.reason().class() == Class::Unavailable => {
                    open = Some(why);
                    continue;
                }
                Err(_) => continue,
            }
            self.expanded.insert(index, ()).await;
        }
        open.map_or(Ok(()), Err)
    }

    async fn expand_one(
        &self,
        ask: &Ask,
        image: &Image,
        index: &Admitted<Arc<Manifest>>,
        reads: &mut usize,
    ) -> Result<(), PullError> {
        let within: BTreeSet<_> = indexes(index.content()).collect();
        for digest in index.content().listed().iter().filter(|digest| !within.contains(digest)) {
            if *reads == 0 {
                return Err(too_many());
            }
            *reads -= 1;
            let child = match self.fetch.manifest(&image.at(*digest)).await {
                Ok(child) => child,
                // What is gone, and what nobody is served, lists nothing.
                Err(PullError::Upstream(UpstreamError::NotFound) | PullError::Content { .. }) => continue,
                Err(error) => {
                    let detail =
                        format!("the image {digest}, which an admitted index lists, could not be read: {error}");
                    return Err(PullError::unsure(error.reason(), detail));
                }
            };
            if let Ok(child) = admit_member(child, index, &ask.snapshot.policies) {
                self.membership.record(image, &child).await;
            }
        }
        Ok(())
    }
}

/// Images that are read for one blob. What images an index with more lists is not known until they are asked for.
const CHILDREN: usize = 64;
