using Amazon.DynamoDBv2;
using Amazon.DynamoDBv2.Model;

namespace Failover.Simulation.Audit;

/// <summary>A journal that does not keep everything.</summary>
internal sealed class ForgetfulDynamo(MemoryTables tables, Func<bool, CallFault> fault, AuditBug bug) : AmazonDynamoDBClient("local", "local", Amazon.RegionEndpoint.USEast1)
{
    private readonly MemoryDynamo _inner = new(tables, fault);

    public override Task<GetItemResponse> GetItemAsync(GetItemRequest request, CancellationToken cancellationToken = default) =>
        bug == AuditBug.RemembersNothing && request.Key["kind"].S == "audit" ? Task.FromResult(new GetItemResponse()) : _inner.GetItemAsync(request, cancellationToken);

    public override Task<PutItemResponse> PutItemAsync(PutItemRequest request, CancellationToken cancellationToken = default) =>
        (bug == AuditBug.KeepsNothing && request.Item["kind"].S.StartsWith("pending#", StringComparison.Ordinal))
        || (bug == AuditBug.DropsFindings && request.Item["kind"].S == "finding" && request.Item["id"].S[11] is '0' or '1')
            ? Task.FromResult(new PutItemResponse()) : _inner.PutItemAsync(request, cancellationToken);

    public override Task<QueryResponse> QueryAsync(QueryRequest request, CancellationToken cancellationToken = default) =>
        bug == AuditBug.ForgetsTheParked && request.ExpressionAttributeValues[":kind"].S.StartsWith("parked#", StringComparison.Ordinal)
            ? Task.FromResult(new QueryResponse()) : _inner.QueryAsync(request, cancellationToken);

    public override Task<UpdateItemResponse> UpdateItemAsync(UpdateItemRequest request, CancellationToken cancellationToken = default) => _inner.UpdateItemAsync(request, cancellationToken);

    public override Task<DeleteItemResponse> DeleteItemAsync(DeleteItemRequest request, CancellationToken cancellationToken = default) => _inner.DeleteItemAsync(request, cancellationToken);
}
