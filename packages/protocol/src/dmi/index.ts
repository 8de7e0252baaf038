/**
 * The Device Mapper Interface v1beta1: EdgeCore and mappers call each other over unix sockets. Source: KubeEdge v1.23.
 * An entry of its own (`@edge/protocol/dmi`), so that who has no devices does not load it.
 */
export { anyOf, shortestFloat, valueOf, type ConfigValue } from './any-value.js';
export {
  AnomalyDetection,
  CustomizedValue,
  DBMethod,
  Device,
  DeviceCommand,
  DeviceManagerServiceDefinition,
  DeviceMapperServiceDefinition,
  DeviceMethod,
  DeviceModel,
  DeviceModelSpec,
  DeviceProperty,
  DeviceSpec,
  DeviceStatus,
  MapperInfo,
  MapperRegisterRequest,
  MapperRegisterResponse,
  ModelProperty,
  ProtocolConfig,
  PushMethod,
  PushMethodHTTP,
  PushMethodMQTT,
  PushMethodOTEL,
  ReportDeviceStatesRequest,
  ReportDeviceStatusRequest,
  Twin,
  TwinProperty,
  VisitorConfig,
} from './generated/dmi/v1beta1.js';
export { Any } from './generated/google/protobuf/any.js';
