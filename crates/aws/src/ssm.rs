//! Parameter Store of Systems Manager.

use jiff::Timestamp;

use crate::wire::operation;
use crate::wire::shape;

shape! {
    /// A tag of a parameter.
    pub struct Tag {
        /// The name of the tag.
        key: Option<String> = "Key",
        /// The value of the tag.
        value: Option<String> = "Value",
    }

    /// Create or update a parameter in Parameter Store.
    pub struct PutParameterRequest {
        /// The fully qualified name of the parameter that you want to create or update. Required.
        name: Option<String> = "Name",
        /// What the parameter is for, in the user's words.
        description: Option<String> = "Description",
        /// The parameter value that you want to add to the system. Required.
        value: Option<String> = "Value",
        /// The type of parameter that you want to create.
        r#type: Option<String> = "Type",
        /// The Key Management Service (KMS) ID that you want to use to encrypt a parameter.
        key_id: Option<String> = "KeyId",
        /// Overwrite an existing parameter.
        overwrite: Option<bool> = "Overwrite",
        /// A regular expression used to validate the parameter value.
        allowed_pattern: Option<String> = "AllowedPattern",
        /// The tags of a new parameter.
        tags: Vec<Tag> = "Tags",
        /// The parameter tier to assign to a parameter.
        tier: Option<String> = "Tier",
        /// One or more policies to apply to a parameter.
        policies: Option<String> = "Policies",
        /// The data type for a String parameter.
        data_type: Option<String> = "DataType",
    }

    /// The answer of PutParameter.
    pub struct PutParameterResult {
        /// The new version number of a parameter.
        version: Option<i64> = "Version",
        /// The tier assigned to the parameter.
        tier: Option<String> = "Tier",
    }

    /// Get information about a single parameter by specifying the parameter name.
    pub struct GetParameterRequest {
        /// The name or Amazon Resource Name (ARN) of the parameter that you want to query. Required.
        name: Option<String> = "Name",
        /// Return decrypted values for secure string parameters.
        with_decryption: Option<bool> = "WithDecryption",
    }

    /// The answer of GetParameter.
    pub struct GetParameterResult {
        /// Information about a parameter.
        parameter: Option<Parameter> = "Parameter",
    }

    /// An Amazon Web Services Systems Manager parameter in Parameter Store.
    pub struct Parameter {
        /// The name of the parameter.
        name: Option<String> = "Name",
        /// The type of parameter.
        r#type: Option<String> = "Type",
        /// The parameter value.
        value: Option<String> = "Value",
        /// The parameter version.
        version: Option<i64> = "Version",
        /// Either the version number or the label used to retrieve the parameter value.
        selector: Option<String> = "Selector",
        /// The raw result of the other service, where the parameter refers to one.
        source_result: Option<String> = "SourceResult",
        /// Date the parameter was last changed or updated and the parameter version was created.
        last_modified_date: Option<Timestamp> = "LastModifiedDate",
        /// The Amazon Resource Name (ARN) of the parameter.
        arn: Option<String> = "ARN",
        /// The data type of the parameter, such as text or aws:ec2:image.
        data_type: Option<String> = "DataType",
    }

    /// Get information about one or more parameters by specifying multiple parameter names.
    pub struct GetParametersRequest {
        /// The names or Amazon Resource Names (ARNs) of the parameters that you want to query. Required.
        names: Vec<String> = "Names",
        /// Return decrypted secure string value.
        with_decryption: Option<bool> = "WithDecryption",
    }

    /// The answer of GetParameters.
    pub struct GetParametersResult {
        /// A list of details for a parameter.
        parameters: Vec<Parameter> = "Parameters",
        /// Names that no parameter has.
        invalid_parameters: Vec<String> = "InvalidParameters",
    }

    /// Retrieve information about one or more parameters under a specified level in a hierarchy.
    pub struct GetParametersByPathRequest {
        /// The hierarchy for the parameter. Required.
        path: Option<String> = "Path",
        /// Retrieve all parameters within a hierarchy.
        recursive: Option<bool> = "Recursive",
        /// Retrieve all parameters in a hierarchy with their value decrypted.
        with_decryption: Option<bool> = "WithDecryption",
        /// The maximum number of items to return for this call.
        max_results: Option<i32> = "MaxResults",
        /// A token to start the list.
        next_token: Option<String> = "NextToken",
    }

    /// The answer of GetParametersByPath.
    pub struct GetParametersByPathResult {
        /// A list of parameters found in the specified hierarchy.
        parameters: Vec<Parameter> = "Parameters",
        /// The token for the next set of items to return.
        next_token: Option<String> = "NextToken",
    }

    /// Retrieves the history of all changes to a parameter.
    pub struct GetParameterHistoryRequest {
        /// The name or Amazon Resource Name (ARN) of the parameter for which you want to review history. Required.
        name: Option<String> = "Name",
        /// Return decrypted values for secure string parameters.
        with_decryption: Option<bool> = "WithDecryption",
        /// The maximum number of items to return for this call.
        max_results: Option<i32> = "MaxResults",
        /// The token for the next set of items to return.
        next_token: Option<String> = "NextToken",
    }

    /// The answer of GetParameterHistory.
    pub struct GetParameterHistoryResult {
        /// A list of parameters returned by the request.
        parameters: Vec<ParameterHistory> = "Parameters",
        /// The token to use when requesting the next set of items.
        next_token: Option<String> = "NextToken",
    }

    /// One version of a parameter.
    pub struct ParameterHistory {
        /// The name of the parameter.
        name: Option<String> = "Name",
        /// The type of parameter used.
        r#type: Option<String> = "Type",
        /// The alias of the Key Management Service (KMS) key used to encrypt the parameter.
        key_id: Option<String> = "KeyId",
        /// Date the parameter was last changed or updated.
        last_modified_date: Option<Timestamp> = "LastModifiedDate",
        /// Amazon Resource Name (ARN) of the Amazon Web Services user who last changed the parameter.
        last_modified_user: Option<String> = "LastModifiedUser",
        /// Information about the parameter.
        description: Option<String> = "Description",
        /// The parameter value.
        value: Option<String> = "Value",
        /// The regular expression that the value was validated by.
        allowed_pattern: Option<String> = "AllowedPattern",
        /// The parameter version.
        version: Option<i64> = "Version",
        /// Labels assigned to the parameter version.
        labels: Vec<String> = "Labels",
        /// The parameter tier.
        tier: Option<String> = "Tier",
        /// The data type of the parameter, such as text or aws:ec2:image.
        data_type: Option<String> = "DataType",
    }

    /// Delete a parameter from the system.
    pub struct DeleteParameterRequest {
        /// The name of the parameter to delete. Required.
        name: Option<String> = "Name",
    }

    /// The answer of DeleteParameter.
    pub struct DeleteParameterResult {
    }
}

operation!(Ssm, "PutParameter", PutParameterRequest => PutParameterResult);
operation!(Ssm, "GetParameter", GetParameterRequest => GetParameterResult);
operation!(Ssm, "GetParameters", GetParametersRequest => GetParametersResult);
operation!(Ssm, "GetParametersByPath", GetParametersByPathRequest => GetParametersByPathResult);
operation!(Ssm, "GetParameterHistory", GetParameterHistoryRequest => GetParameterHistoryResult);
operation!(Ssm, "DeleteParameter", DeleteParameterRequest => DeleteParameterResult);
