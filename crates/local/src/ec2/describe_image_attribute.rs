//! DescribeImageAttribute: whom an image is shared with, which only its owner learns.

use ovenbird_aws::ec2::AttributeValue;
use ovenbird_aws::ec2::DescribeImageAttributeRequest;
use ovenbird_aws::ec2::ImageAttribute;
use ovenbird_aws::ec2::LaunchPermission;
use rusqlite::Connection;

use super::resources::own_image;
use crate::catalogue::images;
use crate::catalogue::images::Image;
use crate::failure::Answer;
use crate::failure::refuse;
use crate::failure::required;
use crate::world::Call;

/// Answers the one attribute that is asked for.
pub(crate) fn describe_image_attribute(call: &Call, request: &DescribeImageAttributeRequest) -> Answer<ImageAttribute> {
    let attribute = required(request.attribute.as_deref(), "attribute")?;
    call.world.catalogue.transact(|db| {
        let image = own_image(db, call, request.image_id.as_deref())?;
        let answer = ImageAttribute { image_id: Some(image.id.clone()), ..ImageAttribute::default() };
        match attribute {
            "launchPermission" => Ok(ImageAttribute { launch_permissions: permissions(db, &image)?, ..answer }),
            "description" => {
                Ok(ImageAttribute { description: Some(AttributeValue { value: image.description }), ..answer })
            }
            "productCodes" => Ok(answer),
            other => refuse("InvalidParameterValue", format!("The attribute {other} is not kept by this endpoint")),
        }
    })
}

fn permissions(db: &Connection, image: &Image) -> Answer<Vec<LaunchPermission>> {
    let accounts = images::list_shares(db, &image.id)?;
    let mut permissions: Vec<LaunchPermission> = accounts
        .into_iter()
        .map(|account| LaunchPermission { user_id: Some(account), ..LaunchPermission::default() })
        .collect();
    if image.public {
        permissions.push(LaunchPermission { group: Some("all".to_owned()), ..LaunchPermission::default() });
    }
    Ok(permissions)
}
