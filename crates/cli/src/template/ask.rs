//! Answers of AWS to a template's data sources.

use ovenbird_aws::Client;
use ovenbird_aws::ssm::GetParameterRequest;
use ovenbird_bake::find_source;
use ovenbird_template::Answer;
use ovenbird_template::Query;
use ovenbird_template::SourceImage;

use crate::failure::Failure;
use crate::failure::Kind;

pub(super) async fn answer(client: &Client, query: &Query) -> Result<Answer, Failure> {
    match query {
        Query::Image { filter, region } => {
            let query = SourceImage::Filter(filter.clone());
            let image = find_source(&within(client, region.as_deref()), &query).await;
            let image = image.map_err(|error| Failure::of(Kind::NotFound, &error))?;
            Ok(Answer::Image {
                id: image.image,
                name: image.name,
                creation_date: image.created,
                owner: image.owner,
                owner_name: image.owner_alias.unwrap_or_default(),
                tags: image.tags.into_iter().collect(),
            })
        }
        Query::Parameter { name, decrypt, region } => {
            let request = GetParameterRequest { name: Some(name.clone()), with_decryption: Some(*decrypt) };
            let answer = within(client, region.as_deref()).send(request).await.map_err(|error| {
                Failure::of(Kind::Aws, &error).hint(format!("the template asks for the parameter {name}"))
            })?;
            let found = answer.parameter.and_then(|parameter| {
                let (version, arn) = (parameter.version.unwrap_or_default(), parameter.arn.unwrap_or_default());
                Some(Answer::Parameter { value: parameter.value?, version, arn })
            });
            found.ok_or_else(|| Failure::new(Kind::Aws, format!("Parameter Store gave no value for {name}")))
        }
    }
}

fn within(client: &Client, region: Option<&str>) -> Client {
    region.map_or_else(|| client.clone(), |region| client.in_region(region))
}
