using Mono.Cecil;
using YamlDotNet.RepresentationModel;
using static Failover.Repository.Tests.Template;

namespace Failover.Repository.Tests;

/// <summary>What a role allows is what its function's code calls, and the other way round: by a walk through the compiled code, from the function's own assembly into the libraries.</summary>
public class ActionTests
{
    private static readonly string[] Libraries = ["ControlPlane", "ItemRecord", "Hosting"];

    private static readonly Dictionary<string, string> Services = new()
    {
        ["Amazon.DynamoDBv2"] = "dynamodb", ["Amazon.Route53"] = "route53", ["Amazon.SQS"] = "sqs", ["Amazon.SimpleSystemsManagement"] = "ssm",
    };

    /// <summary>What Lambda itself does in the function's name: it reads the stream and the queues, and writes logs and traces.</summary>
    private static readonly string[] OfLambda =
    [
        "dynamodb:DescribeStream", "dynamodb:GetRecords", "dynamodb:GetShardIterator", "dynamodb:ListStreams", "sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:GetQueueAttributes",
        "logs:CreateLogStream", "logs:PutLogEvents", "xray:PutTraceSegments", "xray:PutTelemetryRecords",
    ];

    [Theory]
    [MemberData(nameof(TemplateTests.Functions), MemberType = typeof(TemplateTests))]
    public void A_role_allows_what_its_function_calls(string function)
    {
        var called = CallsOf(function);
        var allowed = Resources("AWS::IAM::Role").Single(role => role.Name == function + "Role").Resource.AllNodes
            .Concat(Resources("AWS::IAM::ManagedPolicy").Where(policy => policy.Name == function + "Policy").SelectMany(policy => policy.Resource.AllNodes)).OfType<YamlMappingNode>()
            .Where(statement => statement.Children.ContainsKey("Effect") && statement.Children.ContainsKey("Resource")).SelectMany(statement => Texts(statement, "Action")).ToHashSet();

        Assert.NotEmpty(called);
        Assert.Equal([], called.Except(allowed));
        Assert.Equal([], allowed.Except(called).Except(OfLambda));
    }

    private static HashSet<string> CallsOf(string function)
    {
        var assemblies = Libraries.Prepend(function).Select(name => AssemblyDefinition.ReadAssembly(Path.Combine(AppContext.BaseDirectory, (name == function ? "" : "Failover.") + name + ".dll"))).ToList();
        var types = assemblies.SelectMany(assembly => assembly.MainModule.GetTypes()).ToList();
        var methods = types.SelectMany(type => type.Methods).ToLookup(method => (method.DeclaringType.FullName, method.Name));
        var (seen, actions) = (new HashSet<MethodDefinition>(), new HashSet<string>());
        var left = new Queue<MethodDefinition>(assemblies[0].MainModule.GetTypes().SelectMany(type => type.Methods));
        while (left.TryDequeue(out var method))
        {
            if (!seen.Add(method) || !method.HasBody)
            {
                continue;
            }

            foreach (var called in method.Body.Instructions.Select(instruction => instruction.Operand).OfType<MethodReference>())
            {
                // An async method starts a state machine, which has its code.
                foreach (var machine in (called as GenericInstanceMethod)?.GenericArguments.SelectMany(argument => methods[(argument.GetElementType().FullName, "MoveNext")]) ?? [])
                {
                    left.Enqueue(machine);
                }

                var declaring = called.DeclaringType.GetElementType();
                if (Services.GetValueOrDefault(declaring.Namespace) is { } service && called.Name.EndsWith("Async", StringComparison.Ordinal) && declaring.Name.Contains("Amazon", StringComparison.Ordinal))
                {
                    // SQS has one right for one message and for several.
                    actions.Add($"{service}:{called.Name[..^"Async".Length]}".Replace("sqs:SendMessageBatch", "sqs:SendMessage", StringComparison.Ordinal));
                }

                // Its own, and whoever implements it.
                foreach (var target in methods[(declaring.FullName, called.Name)].Concat(types.Where(type => type.Interfaces.Any(implemented => implemented.InterfaceType.FullName == declaring.FullName)).SelectMany(type => methods[(type.FullName, called.Name)])))
                {
                    left.Enqueue(target);
                }
            }
        }

        return actions;
    }
}
